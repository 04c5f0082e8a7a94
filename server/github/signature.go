package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// SignatureHeader carries the signature that VerifySignature checks.
const SignatureHeader = "X-Hub-Signature-256"

// Errors of VerifySignature. Each says what to do about it.
var (
	ErrNoSecret = errors.New("no webhook secret is configured, so no signature can be trusted: " +
		"set SLIPWAY_WEBHOOK_SECRET to the secret of the webhook")
	ErrNoSignature = errors.New("the request has no " + SignatureHeader + " header: " +
		"set a secret on the webhook, the same one as SLIPWAY_WEBHOOK_SECRET")
	ErrSHA1Signature = errors.New("the signature is SHA-1, which is not accepted: " +
		"send the header " + SignatureHeader)
	ErrMalformedSignature = errors.New("the " + SignatureHeader + " header is not " +
		"\"sha256=\" and 64 hexadecimal digits: check what stands between GitHub and slipway")
	ErrWrongSignature = errors.New("the signature does not match the body: " +
		"make the webhook's secret and SLIPWAY_WEBHOOK_SECRET the same, " +
		"and let no proxy change the body")
)

const signaturePrefix = "sha256="

// VerifySignature checks the value of the X-Hub-Signature-256 header against
// the raw body, in time that does not depend on the signature. It returns nil
// or one of the Err… signature errors of this package; an empty secret is
// always an error.
func VerifySignature(secret []byte, header string, body []byte) error {
	if len(secret) == 0 {
		return ErrNoSecret
	}
	if header == "" {
		return ErrNoSignature
	}
	if strings.HasPrefix(header, "sha1=") {
		return ErrSHA1Signature
	}
	digits, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return ErrMalformedSignature
	}
	got, err := hex.DecodeString(digits)
	if err != nil {
		return ErrMalformedSignature
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return ErrWrongSignature
	}
	return nil
}

package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// BenchmarkWebhook is what a push costs before it is in the ledger, and after.
func BenchmarkWebhook(b *testing.B) {
	secret, body := []byte("secret"), payload(b, "push.json", pushed(nil))
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if err := VerifySignature(secret, signature, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := Parse("push", body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

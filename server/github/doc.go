// Package github is all that slipway knows of GitHub: the signature and JSON of
// its webhooks, and the part of its REST API that slipway calls. No other
// package imports a GitHub client or decodes GitHub's JSON.
//
// Webhooks: VerifySignature, then Payload, then Parse. REST: New makes a Client
// whose errors are of two kinds, RefusedError (asking again will not help) and
// RetryError (it may, from a certain time on).
package github

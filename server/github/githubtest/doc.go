// Package githubtest is a small stand-in for GitHub, for tests and for
// `slipway demo`: bare repositories over smart HTTP, signed webhooks, and the
// slice of the REST API that slipway calls, under /api/v3 as GitHub Enterprise
// has it. It refuses what GitHub refuses, in GitHub's words, and fails on
// demand in the ways GitHub fails.
//
//	s, err := githubtest.New(githubtest.Options{Token: "t", WebhookSecret: "s"})
//	defer s.Close()
//	err = s.Start("127.0.0.1:0")
//	repo, err := s.AddRepo(ctx, "octo", "hello", githubtest.RepoOptions{})
//	s.AddWebhook(webhookURL)
//	sha, err := repo.Push(ctx, githubtest.Change{Files: map[string]string{…}})
//	status, err := repo.WaitStatus(ctx, sha, "slipway", nil)
//
// It needs the git binary and git's http-backend, and nothing else. Everything
// in it may be used concurrently.
package githubtest

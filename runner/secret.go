package runner

// resolve makes the environments of the steps that may run, with the secrets in
// them, and returns everything that no output may show. A secret that is missing
// concerns only the steps that ask for it.
func (r *run) resolve() []string {
	var secrets []string
	for _, s := range r.job.Secrets {
		secrets = append(secrets, validText(s)) // as the output is
	}
	lookup := r.job.Secret
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	for _, s := range r.steps {
		if s.plan.Skip != "" {
			continue
		}
		var values []string
		s.env, values, s.unresolved = s.plan.Resolve(lookup)
		for _, v := range values {
			secrets = append(secrets, validText(v))
		}
	}
	return secrets
}

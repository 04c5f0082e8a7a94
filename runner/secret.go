package runner

// resolve puts the secrets into the steps that may run, of which the job keeps
// what it was given, and returns everything that no output may show. A secret that
// is missing concerns only the steps that ask for it.
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
		resolved, values, err := s.plan.Resolve(lookup)
		if s.unresolved = err; err == nil {
			s.plan = &resolved
		}
		for _, v := range values {
			secrets = append(secrets, validText(v))
		}
	}
	return secrets
}

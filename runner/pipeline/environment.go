package pipeline

import (
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v4"
)

// environment is a map, or a list of KEY=value, of single values and secrets.
type environment struct {
	values  map[string]string
	secrets map[string]string // variable → name of the secret
}

func (e *environment) decode(d *decoder, n *yaml.Node) {
	e.values, e.secrets = map[string]string{}, map[string]string{}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			e.set(d, p)
		}
	case yaml.SequenceNode:
		for _, c := range d.items(n) {
			e.setItem(d, c)
		}
	default:
		if n.Tag != "!!null" {
			d.report(n, "`environment` must be a map, or a list of KEY=value", "")
		}
	}
}

func (e *environment) set(d *decoder, p pair) {
	if !e.checkName(d, p.key, p.key.Value) {
		return
	}
	if p.key.Value == fromSecretKey {
		d.complain(p.key, "`from_secret` is the name of a variable here", "write `NAME: {from_secret: …}` for one variable whose value is a secret")
	}
	if hasSecret(p.value) {
		if name, ok := d.secretRef(p.value); ok {
			e.secrets[p.key.Value] = name
		}
		return
	}
	var t text
	if t.decodeAs(d, p.value, plain) {
		e.values[p.key.Value] = t.value
	}
}

func (e *environment) setItem(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	name, val, ok := strings.Cut(t.value, "=")
	if !ok {
		d.report(n, fmt.Sprintf("`%s` has no value", clip(t.value)), "write KEY=value")
		return
	}
	if _, ok := e.values[name]; ok {
		d.report(n, fmt.Sprintf("`%s` stands here twice", clip(name)), "remove one of them")
		return
	}
	if e.checkName(d, n, name) {
		e.values[name] = val
	}
}

func (e *environment) checkName(d *decoder, n *yaml.Node, name string) bool {
	if name != "" && !strings.ContainsAny(name, "= \t\n\x00") {
		return true
	}
	d.report(n, fmt.Sprintf("`%s` is not a name of a variable", clip(name)), "use letters, digits and _")
	return false
}

// secretRef reads {from_secret: name}.
func (d *decoder) secretRef(n *yaml.Node) (name string, ok bool) {
	var t text
	alone := true
	for _, p := range d.pairs(n) {
		if p.key.Value != fromSecretKey {
			d.report(p.key, fmt.Sprintf("`%s` cannot stand beside `from_secret`", clip(p.key.Value)), "remove one of them")
			alone = false
		} else if !t.decodeAs(d, p.value, plain) {
			return "", false
		}
	}
	if t.node == nil || !alone {
		return "", false
	}
	return d.secretName(t.node, t.value)
}

// secretName returns the name of a secret as it is known. That it is not is
// reported only if it is needed, see checkSecrets. Woodpecker's and Drone's files may write it in capitals and small letters
// as they like.
func (d *decoder) secretName(n *yaml.Node, name string) (string, bool) {
	if name == "" {
		d.report(n, "the name of the secret is empty", "")
		return "", false
	}
	for _, known := range d.secrets.Secrets {
		if known == name || d.doc.dialect != slipway && strings.EqualFold(known, name) {
			return known, true
		}
	}
	if d.secrets.AnySecret {
		return name, true
	}
	d.missing = append(d.missing, missingSecret{n, name})
	return name, true
}

// missingSecret is the name of a secret that is not known, and where it stands.
type missingSecret struct {
	node *yaml.Node
	name string
}

// takeMissing returns the secrets that are missing in what was decoded since it
// was called last.
func (d *decoder) takeMissing() []missingSecret {
	missing := d.missing
	d.missing = nil
	return missing
}

// checkSecrets reports the secrets that are not there for this event.
func (w *workflow) checkSecrets(c *containerFile) {
	for _, m := range c.missing {
		fix := didYouMean(m.name, w.facts.Secrets)
		if fix == "" {
			fix = "add it to the secrets of the repository"
		}
		w.decoder.report(m.node, fmt.Sprintf("there is no secret `%s` for this event", clip(m.name)), fix)
	}
}

// secretList is Woodpecker's old way to get secrets: names, or {source, target},
// which become variables.
type secretList struct{ environment }

// secretPair is a secret under another name.
type secretPair struct {
	Source text `yaml:"source"`
	Target text `yaml:"target"`
}

func (s *secretList) decode(d *decoder, n *yaml.Node) {
	s.secrets = map[string]string{}
	if n.Kind != yaml.SequenceNode {
		d.report(n, fmt.Sprintf("`secrets` must be a list, this is %s", kindOf(n)), "")
		return
	}
	for _, c := range d.items(n) {
		var p secretPair
		if c.Kind == yaml.MappingNode {
			d.object(c, "secret", &p)
		} else {
			p.Source.decode(d, c)
		}
		if p.Target.value == "" {
			p.Target.value = p.Source.value
		}
		if name, ok := d.secretName(c, p.Source.value); ok {
			s.secrets[strings.ToUpper(p.Target.value)] = name
		}
	}
}

// planEnvironment fills a step's variables: the settings, over them what the
// environment says, and what is the step's own.
func (w *workflow) planEnvironment(step *Step, c *containerFile, number int) {
	env := variables{}
	env.set("CI_STEP_NAME", c.Name.value)
	env.setNumber("CI_STEP_NUMBER", int64(number))
	maps.Copy(env, c.Settings.values)
	secrets := map[string]string{}
	maps.Copy(secrets, c.Settings.secrets)
	templates := map[string]Template{}
	maps.Copy(templates, c.Settings.templates)
	maps.Copy(secrets, c.Secrets.secrets)
	for name, secret := range c.Environment.secrets {
		delete(env, name)
		delete(templates, name)
		secrets[name] = secret
	}
	for name, value := range c.Environment.values {
		delete(secrets, name)
		delete(templates, name)
		env[name] = value
	}
	step.Environment = env
	if len(secrets) > 0 {
		step.Secrets = secrets
	}
	if len(templates) > 0 {
		step.Templates = templates
	}
}

// addSecret adds a variable with the value of a secret.
func (s *Step) addSecret(variable, secret string) {
	if s.Secrets == nil {
		s.Secrets = map[string]string{}
	}
	delete(s.Environment, variable)
	delete(s.Templates, variable)
	s.Secrets[variable] = secret
}

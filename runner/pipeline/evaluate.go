package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"go.yaml.in/yaml/v4"
)

// keyEvaluate is the key of an expression in a trace.
const keyEvaluate = "evaluate"

// Bounds of one expression. The language has no loops but the predicates of any,
// map and the like, so each run of such a body is counted (see meter); what could
// make much out of little (repeat, replace, join, ranges) is not there.
const (
	maxExpressionText  = 2000
	maxExpressionNodes = 300
	maxExpressionValue = 64 << 10 // bytes of one string that a body makes
	maxExpressionMade  = 4 << 20  // bytes of all strings that bodies make
	// maxExpressionWork bounds all expressions of a file, in bytes that they may
	// look at. Compiling one counts as expressionWork.
	maxExpressionWork = 16 << 20
	expressionWork    = 8 << 10
)

// expressionFunctions are the functions that an expression may call.
var expressionFunctions = strings.Fields(`
	len lower upper trim trimPrefix trimSuffix hasPrefix hasSuffix indexOf lastIndexOf split
	int float string abs max min first last get keys values fromJSON
	any all none one count filter map find findIndex`)

// expression is a condition in the expr language over the variables.
type expression struct{ text }

func (e *expression) decode(d *decoder, n *yaml.Node) {
	e.node = n
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.report(n, fmt.Sprintf("`evaluate` must be an expression, this is %s", kindOf(n)), `write for example 'CI_COMMIT_AUTHOR != "renovate"'`)
		return
	}
	// A variable's value must not become a part of the expression, as it must
	// not become a part of a command.
	e.value = d.substitute(n, shell)
	if len(e.value) > maxExpressionText {
		d.report(n, fmt.Sprintf("the expression is longer than %d bytes", maxExpressionText), "split it into several entries of `when`")
		e.value = ""
	}
}

// evaluation returns the evaluated expression, or nothing if it is not there.
// One that cannot be evaluated is a problem, and does not hold.
func (w *workflow) evaluation(e *expression) []Condition {
	if e.node == nil || e.value == "" {
		return nil
	}
	c := Condition{Key: keyEvaluate, Want: []string{e.value}}
	used := map[string]bool{}
	result, err := evaluate(e.value, w.vars, used, &w.decoder.vars.spent.expressions)
	if err != nil {
		c.Got = "an error"
		w.decoder.report(e.node, fmt.Sprintf("the expression cannot be evaluated: %s", expressionFault(err)), "")
		return []Condition{c}
	}
	c.Result, c.Got = result, fmt.Sprint(result)
	var values []string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		values = append(values, fmt.Sprintf("%s is %q", name, clip(w.vars[name])))
	}
	if len(values) > 0 {
		c.Got += ": " + strings.Join(values, ", ")
	}
	return []Condition{c}
}

// expressionFault returns what an error of the expr language says, on one line.
func expressionFault(err error) string {
	var at *file.Error
	if errors.As(err, &at) {
		// Every name is a variable, and so a string, unless it is a function.
		if strings.Contains(at.Message, "cannot call non-function") {
			return fmt.Sprintf("there is no such function (at column %d of it)", at.Column+1)
		}
		return fmt.Sprintf("%s (at column %d of it)", at.Message, at.Column+1)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// errExpressionWork: an expression is more work than is allowed.
var errExpressionWork = errors.New("it is too much work")

// evaluate returns the value of an expression over vars, in which a variable
// that is not set is "". The names of those it mentions are added to used, what
// it costs to spent.
func evaluate(text string, vars map[string]string, used map[string]bool, spent *int) (bool, error) {
	m := &meter{used: used, spent: spent}
	if err := m.spend(expressionWork + len(text)); err != nil {
		return false, err
	}
	options := []expr.Option{
		expr.Env(vars), expr.AllowUndefinedVariables(), expr.AsBool(), expr.MaxNodes(maxExpressionNodes),
		expr.DisableAllBuiltins(), expr.Function(meterName, m.count), expr.Patch(m),
		expr.Optimize(false), // it makes lists of constant ranges before they are refused
	}
	for _, name := range expressionFunctions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		return false, err
	}
	if m.refused != "" {
		return false, fmt.Errorf("%s is not supported", m.refused)
	}
	for name := range used {
		m.longest = max(m.longest, len(vars[name]))
	}
	// Each node may look at a whole variable once; more often only in a body.
	if err := m.spend(m.nodes * m.longest); err != nil {
		return false, err
	}
	out, err := expr.Run(program, vars)
	if err != nil {
		return false, err
	}
	result, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("it is %T and neither true nor false", out)
	}
	return result, nil
}

// meterName is what no one can write in an expression by accident.
const meterName = "_meter"

// A meter bounds the work of one expression: it puts a call of itself around
// the body of every predicate and around every value that is given a name.
type meter struct {
	longest int // bytes of the longest variable that is mentioned
	used    map[string]bool
	refused string // what the expression has that is not allowed
	spent   *int   // of maxExpressionWork
	made    int    // of maxExpressionMade
	nodes   int
}

func (m *meter) spend(work int) error {
	if work > maxExpressionWork-*m.spent {
		return errExpressionWork
	}
	*m.spent += work
	return nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Visit implements ast.Visitor, which is how the compiler hands out the nodes,
// the inner ones first.
func (m *meter) Visit(node *ast.Node) {
	m.nodes++
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if variableName.MatchString(n.Value) && n.Value != meterName {
			m.used[n.Value] = true
		}
	case *ast.PredicateNode:
		n.Node = m.metered(n.Node)
	case *ast.VariableDeclaratorNode:
		n.Value = m.metered(n.Value)
	case *ast.BinaryNode:
		if n.Operator == ".." {
			m.refused = "`..`"
		}
	}
}

func (m *meter) metered(body ast.Node) ast.Node {
	if call, ok := body.(*ast.CallNode); ok {
		if id, ok := call.Callee.(*ast.IdentifierNode); ok && id.Value == meterName {
			return body // the nodes are handed out more than once
		}
	}
	size := &nodeCount{}
	ast.Walk(&body, size)
	return &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: meterName},
		Arguments: []ast.Node{body, &ast.IntegerNode{Value: size.n}},
	}
}

// nodeCount counts nodes.
type nodeCount struct{ n int }

func (c *nodeCount) Visit(*ast.Node) { c.n++ }

// count is called with the value of a body and the number of its nodes, and
// returns the value.
func (m *meter) count(args ...any) (any, error) {
	nodes, _ := args[1].(int)
	if err := m.spend(nodes * (64 + m.longest)); err != nil {
		return nil, err
	}
	if s, ok := args[0].(string); ok {
		m.made += len(s)
		if len(s) > maxExpressionValue {
			return nil, errExpressionWork
		}
	}
	if m.made > maxExpressionMade {
		return nil, errExpressionWork
	}
	return args[0], nil
}

package pipeline

import "reflect"

// What may stand in the place of each type of the grammar. It is what its
// decode method accepts; a test holds examples of both sides against both.

func (text) schema(*schemaGenerator) object          { return scalarSchema() }
func (texts) schema(*schemaGenerator) object         { return listOf(scalarSchema()) }
func (confidential) schema(*schemaGenerator) object  { return confidentialSchema() }
func (confidentials) schema(*schemaGenerator) object { return listOf(confidentialSchema()) }
func (ignored) schema(*schemaGenerator) object       { return object{} }

func (boolean) schema(*schemaGenerator) object {
	return anyOf(object{"type": "boolean"}, ref("variable"))
}

func (integer) schema(*schemaGenerator) object {
	return anyOf(object{"type": "integer", "minimum": 0}, ref("variable"))
}

func (number) schema(*schemaGenerator) object {
	return anyOf(object{"type": "number", "exclusiveMinimum": 0}, ref("variable"))
}

func (duration) schema(*schemaGenerator) object {
	return anyOf(matching(`^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`), ref("variable"))
}

func (size) schema(*schemaGenerator) object {
	return anyOf(object{"type": "number", "exclusiveMinimum": 0},
		matching(`^[0-9]+(\.[0-9]*)? *([bB]|[kKmMgGtT]([iI]?[bB])?)?$`), ref("variable"))
}

func (textMap) schema(*schemaGenerator) object {
	return object{"type": "object", "additionalProperties": object{"type": []string{"string", "number", "boolean", "null"}}}
}

func (pull) schema(*schemaGenerator) object {
	return anyOf(object{"enum": []any{true, false, PullAlways, PullIfNotPresent, PullNever}}, ref("variable"))
}

func (failure) schema(*schemaGenerator) object {
	return wordSchema([]string{string(FailureFail), string(FailureIgnore), string(FailureCancel)})
}

func (outcomes) schema(*schemaGenerator) object { return listOf(wordSchema(knownOutcomes())) }

func (environment) schema(*schemaGenerator) object {
	item := object{"type": []string{"string", "number", "boolean", "null"}}
	return anyOf(
		object{"type": "object", "additionalProperties": anyOf(item, ref("secret"))},
		object{"type": "array", "items": anyOf(matching("="), ref("merge"))},
	)
}

func (settings) schema(*schemaGenerator) object {
	return object{"type": []string{"object", "null"}, "additionalProperties": ref("setting")}
}

func (filters) schema(g *schemaGenerator) object {
	one := g.named("when", func() object { return g.structSchema(reflect.TypeFor[filter]()) })
	return anyOf(one, object{"type": "array", "items": anyOf(one, ref("merge"))}, object{"type": "null"})
}

func (pattern) schema(g *schemaGenerator) object { return patternSchema(g, scalarSchema()) }

func patternSchema(g *schemaGenerator, item object) object {
	full := g.structSchema(reflect.TypeFor[pattern]())
	for _, key := range []string{"include", "exclude"} {
		property := full["properties"].(object)[key].(object)
		delete(property, "anyOf")
		property["anyOf"] = listOf(item)["anyOf"]
	}
	return anyOf(append(listOf(item)["anyOf"].([]object), full)...)
}

func (pathFilter) schema(g *schemaGenerator) object {
	return anyOf(listOf(scalarSchema()), g.named("path", func() object { return g.structSchema(reflect.TypeFor[pathFilter]()) }))
}

func (matrixWhen) schema(*schemaGenerator) object {
	globs := object{"type": "object", "additionalProperties": listOf(scalarSchema())}
	return object{
		"type":                 "object",
		"additionalProperties": anyOf(listOf(scalarSchema()), globs),
	}
}

func (expression) schema(*schemaGenerator) object {
	return object{"type": []string{"string", "boolean"}, "maxLength": maxExpressionText}
}

func (matrixFile) schema(g *schemaGenerator) object {
	return g.named("matrix", func() object {
		name := object{"pattern": axisName.String()}
		return object{
			"type": "object",
			"properties": object{"include": object{
				"description": "The combinations themselves, each a map of names to values, instead of all that the lists make.",
				"type":        "array", "minItems": 1, "maxItems": maxJobs,
				"items": object{"type": "object", "propertyNames": name, "additionalProperties": scalarSchema()},
			}},
			"propertyNames":        name,
			"additionalProperties": listOf(scalarSchema()),
		}
	})
}

func (concurrency) schema(g *schemaGenerator) object {
	full := g.named("concurrency", func() object { return g.structSchema(reflect.TypeFor[concurrency]()) })
	return anyOf(object{"type": "integer", "minimum": 1}, ref("variable"), full)
}

func (retry) schema(g *schemaGenerator) object {
	full := g.named("retry", func() object { return g.structSchema(reflect.TypeFor[retry]()) })
	return anyOf(object{"type": "integer", "minimum": 1, "maximum": maxAttempts}, ref("variable"), full)
}

func (retryOn) schema(*schemaGenerator) object { return listOf(wordSchema(retryWords())) }

func (resources) schema(g *schemaGenerator) object {
	return g.named("resources", func() object { return g.structSchema(reflect.TypeFor[resources]()) })
}

func (workspaceFile) schema(g *schemaGenerator) object {
	return g.named("workspace", func() object { return g.structSchema(reflect.TypeFor[workspaceFile]()) })
}

func (cloneFile) schema(g *schemaGenerator) object {
	return g.named("clone", func() object { return g.structSchema(reflect.TypeFor[cloneFile]()) })
}

func (cloneRef) schema(*schemaGenerator) object {
	return wordSchema([]string{string(CloneHead), string(CloneMerge)})
}

func (backendOptions) schema(g *schemaGenerator) object {
	return g.named("backend_options", func() object { return g.structSchema(reflect.TypeFor[backendOptions]()) })
}

func (dockerOptions) schema(g *schemaGenerator) object {
	return g.named("docker", func() object { return g.structSchema(reflect.TypeFor[dockerOptions]()) })
}

func (volumes) schema(*schemaGenerator) object { return listOf(secretOr(object{"type": "string"})) }
func (tmpfs) schema(*schemaGenerator) object   { return listOf(secretOr(object{"type": "string"})) }
func (devices) schema(*schemaGenerator) object { return listOf(secretOr(object{"type": "string"})) }
func (networkMode) schema(*schemaGenerator) object {
	return secretOr(object{"type": "string"})
}

func (ports) schema(*schemaGenerator) object {
	return listOf(anyOf(object{"type": "integer", "minimum": 1, "maximum": maxPort},
		matching(`^[0-9]+(/(tcp|udp|TCP|UDP))?$`), ref("variable")))
}

func (healthcheck) schema(g *schemaGenerator) object {
	full := g.named("healthcheck", func() object { return g.structSchema(reflect.TypeFor[healthcheck]()) })
	command := healthCommand{}.schema(g)["anyOf"].([]object)
	return anyOf(append(command, object{"type": "integer", "minimum": 1, "maximum": maxPort}, full)...)
}

func (healthCommand) schema(*schemaGenerator) object {
	return anyOf(object{"type": "string", "minLength": 1}, ref("secret"),
		object{"type": "array", "minItems": 1, "items": anyOf(scalarSchema(), ref("merge"))})
}

func (dependencies) schema(g *schemaGenerator) object {
	return listOf(anyOf(object{"type": "string"},
		g.named("dependency", func() object { return g.structSchema(reflect.TypeFor[dependency](), "name") })))
}

func (stepList) schema(g *schemaGenerator) object {
	return containersSchema(g.named("step", func() object { return g.structSchema(reflect.TypeFor[stepFile](), "image") }))
}

func (serviceList) schema(g *schemaGenerator) object {
	return containersSchema(g.named("service", func() object { return g.structSchema(reflect.TypeFor[serviceFile](), "image") }))
}

// containersSchema is a list of steps or services, or a map of their names.
func containersSchema(one object) object {
	return anyOf(
		object{"type": "array", "maxItems": maxSteps, "items": anyOf(one, ref("merge"))},
		object{"type": "object", "maxProperties": maxSteps, "additionalProperties": one},
	)
}

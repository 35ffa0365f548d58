package main

// A component is a type that several calls may use.
type component struct {
	Name, Text string
	Fields     []field
}

func componentsOf(doc document, names ...string) []component {
	var components []component
	for _, name := range names {
		if s := doc.Components.Schemas[name]; s != nil {
			components = append(components, component{Name: name, Text: s.Description, Fields: fieldsOf(s)})
		}
	}
	return components
}

// bodyOf is the object that a call takes, or nil.
func (d document) bodyOf(op operation) *schema {
	if op.RequestBody == nil {
		return nil
	}
	s := op.RequestBody.Content["application/json"].Schema
	if s != nil && s.Ref != "" {
		return d.Components.Schemas[s.name()]
	}
	return s
}

// mentions gathers the components that calls name: those of answers, and what lies in them and in bodies. The body
// itself is shown with its call, and problems have a page of their own.
type mentions struct {
	doc   document
	names map[string]bool
}

func (m mentions) add(op operation) {
	if body := m.doc.bodyOf(op); body != nil {
		m.walk(body)
	}
	for _, r := range op.Responses {
		for name, content := range r.Content {
			if name != "application/problem+json" {
				m.walk(content.Schema)
			}
		}
	}
}

func (m mentions) walk(s *schema) {
	if s == nil {
		return
	}
	if name := s.name(); name != "" && !m.names[name] {
		m.names[name] = true
		m.walk(m.doc.Components.Schemas[name])
	}
	m.walk(s.Items)
	for _, property := range s.Properties {
		m.walk(property)
	}
}

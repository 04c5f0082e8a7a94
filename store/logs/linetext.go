package logs

// AppendText appends the line as plain text to b, as Text renders it: commands
// with "+ ", their further lines with "> ", and a newline where the source's
// line ends.
func (l *Line) AppendText(b []byte) []byte {
	b = append(b, l.Kind.prefix()...)
	b = append(b, l.Text...)
	if l.End {
		b = append(b, '\n')
	}
	return b
}

package logs

import "fmt"

// Notices returns the texts of the Notice rows that are stored, in order, but
// for those among the first lines of the Slipway stream. It reads the chunks
// that have some, which are few.
func (w *Writer) Notices(first int64) ([]string, error) {
	v := w.view()
	var texts []string
	for chunk := range len(v.frames) + 1 {
		before, after := v.before(chunk), v.state
		if chunk < len(v.frames) {
			after = v.frames[chunk].after
		}
		line := before.lines[Slipway]
		if after.lines[Slipway] <= max(line, first) {
			continue
		}
		rows, err := w.s.chunk(v, chunk)
		if err != nil {
			return nil, fmt.Errorf("read notices of log %s: %w", w.key, err)
		}
		err = eachRow(rows, before.rows+1, func(_ int64, r *row) {
			if r.Stream != Slipway || r.cut {
				return
			}
			if r.Kind == Notice && line >= first {
				texts = append(texts, string(r.Text))
			}
			if r.End {
				line++
			}
		})
		if err != nil {
			return nil, fmt.Errorf("read notices of log %s: %w", w.key, err)
		}
	}
	return texts, nil
}

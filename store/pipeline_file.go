package store

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// PipelineFile is a pipeline file as a build used it.
type PipelineFile struct {
	Path string
	Text []byte
}

// PipelineFiles returns the pipeline files of a build, in the order in which
// they were used; none if they could not be read.
func (s *Store) PipelineFiles(ctx context.Context, buildID int64) ([]PipelineFile, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT f.path, t.text FROM build_files f JOIN pipeline_texts t ON t.sum = f.sum
		WHERE f.build_id = ? ORDER BY f.number`, buildID)
	out, err := collect(rows, err, func(f *PipelineFile, row scanner) error { return row.Scan(&f.Path, &f.Text) })
	return out, wrap("read pipeline files", err)
}

// insertFiles stores the texts of a build's pipeline files.
func (s *Store) insertFiles(tx *tx, b Build) error {
	for i, f := range b.Texts {
		sum := sha256.Sum256(f.Text)
		if err := tx.exec(`INSERT INTO pipeline_texts (sum, text) VALUES (?, ?) ON CONFLICT DO NOTHING`,
			sum[:], append([]byte{}, f.Text...)); err != nil {
			return fmt.Errorf("text of %s: %w", f.Path, err)
		}
		if err := tx.exec(`INSERT INTO build_files (build_id, number, path, sum) VALUES (?, ?, ?, ?)`,
			b.ID, i+1, f.Path, sum[:]); err != nil {
			return fmt.Errorf("file %s: %w", f.Path, err)
		}
	}
	return nil
}

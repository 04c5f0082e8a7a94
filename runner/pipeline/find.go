package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Bounds of what Find and Parse accept. They are far above what people write
// and low enough that a hostile repository costs the server little.
const (
	MaxFileBytes  = 1 << 20 // of one pipeline file
	MaxFiles      = 100     // in one folder
	MaxTotalBytes = 2 << 20 // of all files that Parse is given
)

// ErrNone is returned by Find when the tree has no pipeline file.
var ErrNone = errors.New("no pipeline file")

// A File is a pipeline file as it stands in the repository.
type File struct {
	Path string // slash-separated, from the root of the tree
	Data []byte
}

// places is where pipeline files are looked for, in order; the first place that
// has any is used alone. A name that ends in a slash is a folder.
var places = []string{
	".slipway/", ".slipway.yml", ".slipway.yaml",
	".woodpecker/", ".woodpecker.yaml", ".woodpecker.yml",
	".drone.yml",
}

// Find reads the pipeline files of a tree, sorted by path. Links are not
// followed, and folders are not searched below their first level.
//
// It returns ErrNone if there is none, Problems if a file breaks a bound (see
// MaxFileBytes, MaxFiles) or is no regular file, and any other error as
// reading fsys gave it.
func Find(fsys fs.FS) ([]File, error) {
	for _, place := range places {
		names, err := candidates(fsys, place)
		if err != nil {
			return nil, err
		}
		if len(names) > 0 {
			return readFiles(fsys, names)
		}
	}
	return nil, ErrNone
}

// FindAt reads the pipeline files at the place that a repository's setting
// names, a file or a folder of files; empty means Find. ErrNone and the other
// errors are as with Find, and a place that leads out of the tree has no files.
func FindAt(fsys fs.FS, place string) ([]File, error) {
	if place == "" {
		return Find(fsys)
	}
	name := path.Clean(place)
	if !fs.ValidPath(name) || name == "." {
		return nil, ErrNone
	}
	for _, place := range []string{name, name + "/"} {
		names, err := candidates(fsys, place)
		if err != nil {
			return nil, err
		}
		if len(names) > 0 {
			return readFiles(fsys, names)
		}
	}
	return nil, ErrNone
}

// candidates returns the paths of the pipeline files at one of places.
func candidates(fsys fs.FS, place string) ([]string, error) {
	name := path.Clean(place)
	info, err := fs.Lstat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find pipeline files: %w", err)
	}
	if name == place {
		// A folder called .slipway.yml is nobody's pipeline.
		if info.IsDir() {
			return nil, nil
		}
		return []string{name}, nil
	}
	if !info.IsDir() {
		return nil, nil
	}
	return folderFiles(fsys, name)
}

func folderFiles(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("list pipeline files: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && isYAML(e.Name()) {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	if len(names) > MaxFiles {
		return nil, Problems{{
			File:    names[MaxFiles],
			Message: fmt.Sprintf("%s has %d pipeline files, at most %d are read", dir, len(names), MaxFiles),
			Fix:     "merge some of them or move what is no workflow elsewhere",
		}}
	}
	return names, nil
}

func readFiles(fsys fs.FS, names []string) ([]File, error) {
	var files []File
	var problems Problems
	for _, name := range names {
		data, problem, err := readFile(fsys, name)
		switch {
		case err != nil:
			return nil, err
		case problem != nil:
			problems = append(problems, *problem)
		default:
			files = append(files, File{Path: name, Data: data})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return files, nil
}

func readFile(fsys fs.FS, name string) ([]byte, *Problem, error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, nil, fmt.Errorf("read pipeline file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Problem{
			File:    name,
			Message: "is not a regular file",
			Fix:     "put the file itself here; links are not followed",
		}, nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read pipeline file: %w", err)
	}
	defer f.Close()
	// The size is not asked for: the bound holds whatever the FS says of it.
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read pipeline file %s: %w", name, err)
	}
	if len(data) > MaxFileBytes {
		p := tooLarge(name)
		return nil, &p, nil
	}
	return data, nil, nil
}

func tooLarge(name string) Problem {
	return Problem{
		File:    name,
		Message: fmt.Sprintf("is larger than %d KiB", MaxFileBytes>>10),
		Fix:     "move long scripts into files of their own and call them",
	}
}

package webui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func squares(n int) []box {
	out := make([]box, n)
	for i := range out {
		out[i] = box{W: 100, H: 30}
	}
	return out
}

func TestReduceLeavesOutWhatIsImplied(t *testing.T) {
	got := reduce(4, []edge{{0, 1}, {1, 2}, {0, 2}, {0, 1}, {2, 3}, {0, 3}})
	if want := []edge{{0, 1}, {1, 2}, {2, 3}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// No two boxes overlap, every edge leads to the right, and the drawing holds
// all of it.
func TestLayoutKeepsBoxesApart(t *testing.T) {
	graphs := map[string]struct {
		n     int
		edges []edge
	}{
		"nothing": {0, nil},
		"one":     {1, nil},
		"chain":   {3, []edge{{0, 1}, {1, 2}}},
		"diamond": {4, []edge{{0, 1}, {0, 2}, {1, 3}, {2, 3}}},
		"long":    {5, []edge{{0, 1}, {1, 2}, {2, 3}, {0, 4}, {4, 3}}},
		"crossed": {6, []edge{{0, 5}, {1, 4}, {2, 3}}},
	}
	fan := graphs["one"]
	fan.n = 30
	for i := 1; i < 30; i++ {
		fan.edges = append(fan.edges, edge{(i - 1) / 3, i})
	}
	graphs["fan of 30"] = fan
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			d := layered(squares(g.n), g.edges)
			for i, a := range d.Boxes {
				if a.X < 0 || a.Y < 0 || a.X+a.W > d.W || a.Y+a.H > d.H {
					t.Errorf("box %d at %v is outside of %d×%d", i, a, d.W, d.H)
				}
				for k, b := range d.Boxes[:i] {
					if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
						t.Errorf("boxes %d and %d overlap: %v %v", i, k, a, b)
					}
				}
			}
			for _, e := range g.edges {
				if from, to := d.Boxes[e.from], d.Boxes[e.to]; from.X+from.W >= to.X {
					t.Errorf("edge %v leads from %v to %v", e, from, to)
				}
			}
			if len(d.Paths) != len(reduce(g.n, g.edges)) {
				t.Errorf("%d paths", len(d.Paths))
			}
		})
	}
}

// What no edge joins stands close, whatever there is beside it.
func TestLayoutStacksParts(t *testing.T) {
	d := layered(squares(6), []edge{{1, 4}, {2, 4}, {2, 5}})
	if want := (box{Y: 30 + boxGap, W: 100, H: 30}); d.Boxes[0].Y != 0 || d.Boxes[1] != want {
		t.Errorf("the second part stands at %v, below %v", d.Boxes[1], d.Boxes[0])
	}
	if last := d.Boxes[3]; last.X != 0 || last.Y+last.H != d.H {
		t.Errorf("the third part stands at %v, in a drawing %d high", last, d.H)
	}
	if most := 5 * (30 + boxGap); d.H > most {
		t.Errorf("the drawing is %d high, more than %d", d.H, most)
	}
}

func TestLayoutUncrossesEdges(t *testing.T) {
	d := layered(squares(7), []edge{{0, 5}, {1, 4}, {2, 3}, {3, 6}, {4, 6}, {5, 6}})
	for _, p := range d.Paths[:3] {
		var x1, y1, b1, c1, b2, c2, x2, y2 int
		if _, err := fmt.Sscanf(strings.NewReplacer("M", "", " C", " ").Replace(p), "%d %d %d %d %d %d %d %d", &x1, &y1, &b1, &c1, &b2, &c2, &x2, &y2); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if y1 != y2 {
			t.Errorf("an edge that nothing keeps from being level is not: %s", p)
		}
	}
}

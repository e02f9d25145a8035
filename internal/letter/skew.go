package letter

import (
	"image"
	"math"
)

// straighten turns a page that lay askew on the scanner, up to four degrees: the words of one line must stand at one height for labels to
// find their values, and the rules of a table must be straight to be recognised.
func straighten(g *image.Gray) *image.Gray {
	angle := skew(g)
	if math.Abs(angle) < 0.15 {
		return g
	}
	sin, cos := math.Sincos(angle * math.Pi / 180)
	w, h := g.Rect.Dx(), g.Rect.Dy()
	cx, cy := float64(w)/2, float64(h)/2
	out := image.NewGray(g.Rect)
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-cx, float64(y)-cy
			sx, sy := int(cx+dx*cos-dy*sin+0.5), int(cy+dx*sin+dy*cos+0.5)
			v := uint8(255)
			if sx >= 0 && sx < w && sy >= 0 && sy < h {
				v = g.Pix[sy*g.Stride+sx]
			}
			out.Pix[y*out.Stride+x] = v
		}
	}
	return out
}

// skew is the angle in degrees, clockwise, by which the lines of a page fall. At the right one the dark points gather in the fewest rows.
func skew(g *image.Gray) float64 {
	const most = 80_000 // points
	w, h := g.Rect.Dx(), g.Rect.Dy()
	step := min(3, 1+int(math.Sqrt(float64(w*h)/(20*most))))
	var points []image.Point
	for y := 0; y < h; y += step {
		for x := 0; x < w; x += step {
			if g.Pix[y*g.Stride+x] < 128 {
				points = append(points, image.Pt(x, y))
			}
		}
	}
	if len(points) < 500 || len(points) > most*5 {
		return 0 // an empty page, or a dark picture
	}
	const bin = 4 // pixels, more than a step: else the grid of the points alone would favour angle 0
	rows := make([]int, (h+w)/bin+1)
	gathered := func(angle float64) float64 {
		clear(rows)
		t := math.Tan(angle * math.Pi / 180)
		for _, p := range points {
			if at := (int(float64(p.Y)-float64(p.X)*t) + w/2) / bin; at >= 0 && at < len(rows) {
				rows[at]++
			}
		}
		sum := 0.0
		for _, n := range rows {
			sum += float64(n) * float64(n)
		}
		return sum
	}
	best, score := 0.0, gathered(0)*1.02
	for tenth := -40; tenth <= 40; tenth += 2 {
		if s := gathered(float64(tenth) / 10); s > score {
			best, score = float64(tenth)/10, s
		}
	}
	return best
}

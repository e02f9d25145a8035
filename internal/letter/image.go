package letter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // registers the decoder
	_ "image/jpeg"
	"image/png"
	"slices"
)

// Bounds of images. Beyond maxPixels nothing is decoded: 40 million are 10 megapixels more than a good telephone's photo.
const (
	maxPixels = 40_000_000
	ocrSide   = 2500 // pixels of the longer side that tesseract gets: 215 dpi on A4
)

// normalizeImage writes the rules of a page's tables and the image as a grey PNG of at most ocrSide pixels a side, turned as its EXIF orientation says: tesseract reads
// neither sideways photographs nor huge ones well. It runs in a child.
func normalizeImage(data []byte, out *bufio.Writer) error {
	img, err := decodeImage(data)
	if err != nil {
		return err
	}
	grey := shrink(img, exifOrientation(data))
	despeckle(grey)
	grey = straighten(enlarge(grey))
	if err := writeRules(out, removeRules(grey)); err != nil {
		return err
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	return enc.Encode(out, grey)
}

func decodeImage(data []byte) (image.Image, error) {
	if bytes.HasPrefix(data, []byte("P5")) {
		return decodePGM(data)
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the image's head: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return nil, errors.New("the image is too large")
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decoding the image: %w", err)
	}
	return img, nil
}

// decodePGM reads pdftoppm's raw grey pages (netpbm's pgm(5), P5 of 8 bits). Its PNG costs a hundred times as much processor time on a
// scan's noise.
func decodePGM(data []byte) (*image.Gray, error) {
	var w, h, depth int
	r := bytes.NewReader(data)
	if _, err := fmt.Fscanf(r, "P5\n%d %d\n%d\n", &w, &h, &depth); err != nil {
		return nil, fmt.Errorf("reading the image's head: %w", err)
	}
	if w < 8 || h < 8 { // what pdftoppm makes of a page that it can't draw
		return nil, errors.New("the page could not be drawn")
	}
	if depth != 255 || w > maxPixels/h || r.Len() < w*h {
		return nil, errors.New("not a grey page")
	}
	return &image.Gray{Pix: data[len(data)-r.Len():], Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
}

// despeckle whitens dark points that stand alone: a scanner's dust, which tesseract reads as full stops and strokes.
func despeckle(g *image.Gray) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			at := y*g.Stride + x
			if g.Pix[at] >= 150 {
				continue
			}
			near := 0
			for _, d := range [8]int{-g.Stride - 1, -g.Stride, -g.Stride + 1, -1, 1, g.Stride - 1, g.Stride, g.Stride + 1} {
				if g.Pix[at+d] < 180 {
					near++
				}
			}
			if near <= 1 {
				g.Pix[at] = 255
			}
		}
	}
}

// removeRules whitens the lines of tables and returns them: tesseract takes them for letters, or for the edges of columns that it then reads
// apart. A rule is a dark run longer than any letter, and thin.
func removeRules(g *image.Gray) []rule {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	long := max(60, max(w, h)/28)
	columns := slices.Repeat([]run{unbegun}, w)
	var across, down []rule
	for y := range h {
		line := unbegun
		for x, shade := range g.Pix[y*g.Stride : y*g.Stride+w] {
			if shade >= 150 {
				continue
			}
			if r := line.dark(x); r.length() >= long {
				across = append(across, rule{false, y, r.from, r.last + 1})
			}
			if r := columns[x].dark(y); r.length() >= long {
				down = append(down, rule{true, x, r.from, r.last + 1})
			}
		}
		if line.length() >= long {
			across = append(across, rule{false, y, line.from, line.last + 1})
		}
	}
	for x, r := range columns {
		if r.length() >= long {
			down = append(down, rule{true, x, r.from, r.last + 1})
		}
	}
	if len(across)+len(down) > 4*(w+h) {
		return nil // a dark picture, not a page with rules
	}
	whiten(g, across)
	whiten(g, down)
	return append(gather(across), gather(down)...)
}

// run is a stretch of dark pixels along a line, with gaps of three at most.
type run struct{ from, last int }

var unbegun = run{-10, -10}

func (r run) length() int { return r.last - r.from }

// dark adds a pixel, and returns the run that it ended, or one without length.
func (r *run) dark(at int) run {
	ended := unbegun
	if at-r.last > 3 {
		ended, r.from = *r, at
	}
	r.last = at
	return ended
}

// shrink averages blocks of pixels to a grey image and turns it.
func shrink(img image.Image, orientation int) *image.Gray {
	b := img.Bounds()
	f := 1
	for max(b.Dx(), b.Dy())/f > ocrSide*3/2 {
		f++
	}
	w, h := max(1, b.Dx()/f), max(1, b.Dy()/f)
	dst := image.NewGray(turned(w, h, orientation))
	for y := range h {
		for x := range w {
			sum := 0
			for dy := range f {
				for dx := range f {
					c := color.GrayModel.Convert(img.At(b.Min.X+x*f+dx, b.Min.Y+y*f+dy)).(color.Gray)
					sum += int(c.Y)
				}
			}
			tx, ty := turn(x, y, w, h, orientation)
			dst.SetGray(tx, ty, color.Gray{Y: uint8(sum / (f * f))})
		}
	}
	return dst
}

// enlarge doubles a picture of few points, between which it draws lines: tesseract wants letters of 20 pixels or more, and a page at 150 dpi
// or a photograph sent by a messenger has fewer.
func enlarge(g *image.Gray) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if max(w, h) > 1800 {
		return g
	}
	out := image.NewGray(image.Rect(0, 0, 2*w, 2*h))
	at := func(x, y int) int { return int(g.Pix[min(y, h-1)*g.Stride+min(x, w-1)]) }
	for y := range 2 * h {
		for x := range 2 * w {
			a, b := at(x/2, y/2), at((x+1)/2, y/2)
			c, d := at(x/2, (y+1)/2), at((x+1)/2, (y+1)/2)
			out.Pix[y*out.Stride+x] = uint8((a + b + c + d) / 4)
		}
	}
	return out
}

func turned(w, h, orientation int) image.Rectangle {
	if orientation >= 5 {
		w, h = h, w
	}
	return image.Rect(0, 0, w, h)
}

// turn maps a pixel for the orientations of EXIF that cameras write: 1, 3, 6, 8.
func turn(x, y, w, h, orientation int) (int, int) {
	switch orientation {
	case 3:
		return w - 1 - x, h - 1 - y
	case 6:
		return h - 1 - y, x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}

// exifOrientation reads tag 0x0112 from a JPEG's APP1 segment; 1 when there is none.
func exifOrientation(data []byte) int {
	i := bytes.Index(data[:min(len(data), 64<<10)], []byte("Exif\x00\x00"))
	if i < 0 || len(data) < i+14 {
		return 1
	}
	tiff := data[i+6:]
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(tiff, []byte("MM")) {
		order = binary.BigEndian
	}
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return 1
	}
	for n := range int(order.Uint16(tiff[at:])) {
		e := at + 2 + n*12
		if e+12 > len(tiff) {
			break
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := int(order.Uint16(tiff[e+8:])); v == 3 || v == 6 || v == 8 {
				return v
			}
			break
		}
	}
	return 1
}

package corpus

import (
	"bytes"
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// ScanPDF makes a PDF of pictures, as a scanner does.
func ScanPDF(pages ...[]byte) []byte {
	p := fpdf.New("P", "mm", "A4", "")
	for i, page := range pages {
		p.AddPage()
		name := fmt.Sprint("p", i)
		p.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(page))
		p.ImageOptions(name, 0, 0, 210, 297, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

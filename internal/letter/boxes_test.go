package letter_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"pulih/internal/letter"
)

// Blora's combined form asks for what is ticked, however Word keeps its boxes.
func TestTheTickedBoxDecidesACombinedForm(t *testing.T) {
	t.Parallel()
	control := func(ticked int, glyph, label string) string {
		return fmt.Sprintf(`<w:p><w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="%d"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r><w:t>%s</w:t></w:r></w:sdtContent></w:sdt><w:r><w:t> %s</w:t></w:r></w:p>`, ticked, glyph, label)
	}
	field := func(ticked, label string) string {
		return `<w:p><w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="0"/>` + ticked + `</w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:t> ` + label + `</w:t></w:r></w:p>`
	}
	row := func(label, mark string) string {
		return `<w:tr><w:tc><w:p><w:r><w:t>` + label + `</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>` + mark + `</w:t></w:r></w:p></w:tc></w:tr>`
	}
	sym := func(char, label string) string {
		return `<w:p><w:r><w:sym w:font="Wingdings" w:char="` + char + `"/></w:r><w:r><w:t> ` + label + `</w:t></w:r></w:p>`
	}
	for name, c := range map[string]struct {
		boxes string
		want  letter.Kind
	}{
		"content controls":               {control(0, "☐", "Pembuatan Baru") + control(1, "☒", "Reset"), letter.ResetRequest},
		"controls whose glyphs are lost": {control(0, "", "Pembuatan Baru") + control(1, "", "Reset"), letter.ResetRequest},
		"another control":                {control(1, "R", "Pembuatan Baru") + control(0, "R", "Reset"), letter.OtherCertificateService},
		"form fields":                    {field("", "Pembuatan Baru") + field("<w:checked/>", "Reset"), letter.ResetRequest},
		"another form field":             {field("<w:checked/>", "Pembuatan Baru") + field(`<w:checked w:val="0"/>`, "Reset"), letter.OtherCertificateService},
		"both":                           {control(1, "☒", "Pembuatan Baru") + control(1, "☒", "Reset"), letter.Unclear},
		"none":                           {control(0, "☐", "Pembuatan Baru") + control(0, "☐", "Reset"), letter.Unclear},
		"a cell with a V":                {"<w:tbl>" + row("Pembuatan Baru", "") + row("Reset", "V") + "</w:tbl>", letter.ResetRequest},
		"symbols":                        {sym("F0A8", "Pembuatan Baru") + sym("F0FE", "Reset"), letter.ResetRequest},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.Create("word/document.xml")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `<w:document xmlns:w="w" xmlns:w14="w14"><w:body><w:p><w:r><w:t>PERMOHONAN TANDA TANGAN ELEKTRONIK</w:t></w:r></w:p>%s<w:p><w:r><w:t>Nama : Endah Lestari</w:t></w:r></w:p><w:p><w:r><w:t>NIP : 198505052010012005</w:t></w:r></w:p></w:body></w:document>`, c.boxes)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if r := read(t, letter.NewReader(letter.Options{}), "formulir.docx", b.Bytes()); r.Kind != c.want || len(r.Applicants) != 1 {
			t.Errorf("%s: %s %v, %d applicants; want %s", name, r.Kind, r.Reasons, len(r.Applicants), c.want)
		}
	}
}

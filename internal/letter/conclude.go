package letter

import (
	"fmt"
	"strings"
)

// conclude makes the reading of everything that was gathered.
func (w *work) conclude(m *Mail, meta *Meta) Reading {
	r := Reading{Reasons: []string{}, Applicants: []Applicant{}, Attachments: w.attachments, Evidence: []Evidence{}, Corrections: []Correction{}}
	if r.Attachments == nil {
		r.Attachments = []Attachment{}
	}
	contents := w.contents()
	v := w.kind(contents, m, meta)
	r.Kind, r.Reasons = v.kind, append(r.Reasons, v.reasons...)
	if len(r.Reasons) == 0 {
		r.Reasons = append(r.Reasons, "tidak ada kata yang meminta reset passphrase")
	}
	for i, reason := range r.Reasons {
		r.Reasons[i] = Mask(reason)
	}
	w.fields(&r, contents, m, meta)
	if r.Kind == ResetRequest && len(r.Applicants) == 0 { // thanks, articles and questions speak of a reset too, and name nobody whose it would be
		r.Kind = Unclear
		r.Reasons = append(r.Reasons, "tidak terbaca untuk siapa reset itu dimohonkan")
	}
	r.Signature = w.signature(&r)
	w.identityFindings(&r)
	w.correctionFindings(&r)
	w.secretFindings(contents, m, meta)
	r.Findings = w.findings
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	return r
}

// contents extracts every document; the mail's own texts come first, as they were read.
func (w *work) contents() []*content {
	var out []*content
	for _, d := range w.docs {
		out = append(out, extract(d))
	}
	return out
}

// kind combines the verdicts on the parts. A cover note only introduces: the letter beside it decides.
func (w *work) kind(contents []*content, m *Mail, meta *Meta) verdict {
	var subject string
	if m != nil {
		if v, ok := judgeMail(m); ok {
			return v
		}
		subject = m.Subject
	}
	fresh := w.contentVerdict(contents, m, meta)
	if m == nil {
		return complaintOf(fresh, contents, meta)
	}
	if v, ok := judgeReply(m, fresh); ok {
		v.reasons = append(v.reasons, fresh.reasons...)
		return v
	}
	letter := false
	for _, c := range contents {
		letter = letter || c.sheet.part != "mail" && letters(c.sheet.text()) > 60
	}
	_, grievance := judgeComplaint(subject, m.Text)
	machine := grievance && m.Get("List-Unsubscribe") == "" && m.Get("List-Id") == "" // a complaint site's gateway is no newsletter
	if bulk(m) && !machine && !w.identified(contents) {
		fresh.kind = Other
		return fresh.because("surel massal (List-Unsubscribe, List-Id atau Precedence: bulk)")
	}
	slip := dispositionSlip(m) && !w.identified(contents)
	if v, ok := judgeForward(m, letter || w.unreadable > 0 || slip); ok && (fresh.kind != Other || w.unreadable > 0 || dispositionWord.MatchString(m.Text+" "+m.Subject) || !onlyInforms(m)) {
		v.reasons = append(v.reasons, fresh.reasons...)
		return v
	}
	if v, ok := judgeComplaint(subject, m.Text); ok && !forwardSubject.MatchString(subject) {
		if fresh.kind == ResetRequest && w.identified(contents) && complaintBig.FindString(subject+" "+m.Text) == "" {
			fresh.kind = Unclear
			return fresh.because("permohonan sekaligus keluhan: %s", strings.Join(v.reasons, "; "))
		}
		if fresh.kind == ResetRequest && w.identified(contents) {
			v.kind = Unclear
			return v.because("keluhan sekaligus permohonan reset yang lengkap")
		}
		return v
	}
	if fresh.kind == Other || fresh.kind == OtherCertificateService {
		if v := complaintOf(fresh, attached(contents), nil); v.kind == Complaint {
			return v
		}
	}
	if fresh.kind == Other && quotedReset(m) {
		return fresh.because("permintaan reset hanya ada pada kutipan surel lama")
	}
	return fresh
}

// attached are the letters that came as files.
func attached(contents []*content) []*content {
	var out []*content
	for _, c := range contents {
		if !c.sheet.cover {
			out = append(out, c)
		}
	}
	return out
}

// complaintOf looks for a complaint in letters that came without a mail of their own words.
func complaintOf(fresh verdict, contents []*content, meta *Meta) verdict {
	check := func(subject, text string) (verdict, bool) {
		v, ok := judgeComplaint(subject, text)
		if ok && fresh.kind == ResetRequest && complaintBig.FindString(subject) == "" {
			return fresh, true // a letter that asks for a reset, and grumbles
		}
		return v, ok
	}
	if meta != nil {
		if v, ok := check(meta.Subject, meta.Summary); ok {
			return v
		}
	}
	for _, c := range contents {
		if v, ok := check(c.subject.text, c.sheet.text()); ok {
			return v
		}
	}
	return fresh
}

func (w *work) identified(contents []*content) bool {
	for _, c := range contents {
		for _, p := range c.applicants {
			if p.values[fieldNIP] != "" && p.values[fieldName] != "" {
				return true
			}
		}
	}
	return false
}

// contentVerdict judges each text and joins the verdicts.
func (w *work) contentVerdict(contents []*content, m *Mail, meta *Meta) verdict {
	var out verdict
	out.kind = Other
	var cover verdict
	var kinds = map[Kind]int{}
	covers := 0
	for _, c := range contents {
		subject, counts := c.subject.text, c.subject.text != ""
		if c.sheet.cover && c.sheet.part == "mail" {
			if m != nil && !replyPrefix.MatchString(m.Subject) && !forwardSubject.MatchString(m.Subject) {
				subject, counts = m.Subject, true
				if c.subject.text != "" && !strings.Contains(m.Subject, c.subject.text) {
					subject += " — " + c.subject.text
				}
			}
		}
		v := judge(c, subject, counts)
		if c.sheet.cover && c.sheet.part == "mail" {
			cover = v
			covers++
			continue
		}
		kinds[v.kind]++
		out.reasons = append(out.reasons, v.reasons...)
	}
	if meta != nil {
		metadata := newSheet(newDocument("srikandi", "metadata", meta.Subject+"\n\n"+meta.Summary))
		v := judge(&content{sheet: metadata, subject: valueAt{text: meta.Subject}}, meta.Subject, true)
		cover, covers = v, covers+1
		cover.reasons = append([]string{}, v.reasons...)
	}
	switch {
	case kinds[ResetRequest] > 0 && kinds[OtherCertificateService] > 0:
		out.kind = Unclear
		return out.because("lampiran memuat permohonan reset dan permohonan layanan sertifikat lain")
	case kinds[ResetRequest] > 0:
		out.kind = ResetRequest
	case kinds[Unclear] > 0:
		out.kind = Unclear
	case kinds[OtherCertificateService] > 0:
		out.kind = OtherCertificateService
	}
	if covers > 0 {
		out = joinCover(cover, out)
	}
	return w.unreadVerdict(out, covers > 0 && len(contents) > 0)
}

// joinCover joins the verdict on the mail's own text with that on what came with it.
func joinCover(cover, rest verdict) verdict {
	v := verdict{kind: rest.kind, reasons: append(append([]string{}, cover.reasons...), rest.reasons...)}
	switch {
	case cover.kind == rest.kind:
	case rest.kind == Other:
		v.kind = cover.kind
	case cover.kind == Other:
	case cover.kind == ResetRequest && rest.kind == OtherCertificateService, cover.kind == OtherCertificateService && rest.kind == ResetRequest:
		v.kind = Unclear
		v.because("isi surel dan lampirannya meminta hal yang berbeda")
	case cover.kind == Unclear && rest.kind == ResetRequest:
		v.kind = ResetRequest
	case cover.kind == ResetRequest && rest.kind == Unclear:
		v.kind = Unclear
	case cover.kind == OtherCertificateService && rest.kind == Unclear:
		v.kind = Unclear
	}
	return v
}

// unreadVerdict: what could not be read may have been the letter.
func (w *work) unreadVerdict(v verdict, hasText bool) verdict {
	if w.unreadable == 0 {
		return v
	}
	switch v.kind {
	case ResetRequest:
		if !w.identified(w.contents()) {
			v.kind = Unclear
			return v.because("ada berkas yang tidak terbaca, dan data pemohon tidak ditemukan di bagian lain")
		}
	case Other:
		if !hasText || len(v.reasons) == 0 && w.covers() {
			v.kind = Unclear
			return v.because("ada berkas yang tidak terbaca; mungkin surat permohonan")
		}
	}
	return v
}

// covers: the mail's own text is so short, or speaks so, that an unread file may be the letter it brings.
func (w *work) covers() bool {
	for _, d := range w.docs {
		if d.part == "mail" {
			t := d.text()
			if d.mail != nil {
				t += " " + d.mail.Subject
			}
			return letters(t) < 80 || coverWords.MatchString(t)
		}
	}
	return true
}

var coverWords = compile(`(?i)\b(surat|permohonan|terlampir|lampir\w*|berkas|dokumen|tte|passphrase|scan|pindai\w*|kirimkan|sampaikan)\b`)

// fields fills the reading from the part that is the letter.
func (w *work) fields(r *Reading, contents []*content, m *Mail, meta *Meta) {
	if meta != nil {
		w.metaFields(r, meta)
	}
	switch r.Kind {
	case Bounce, AutoReply, ProviderNotice:
		mailSubject(r, m)
		return
	}
	ordered := rank(contents)
	if len(ordered) == 0 {
		ordered = []*content{{sheet: newSheet(document{part: "srikandi", how: "metadata"})}}
	}
	namedInSubject(r.Kind, ordered, m, meta)
	w.mergeFields(r, ordered)
	mailSubject(r, m)
	for _, c := range ordered {
		if c.torn {
			w.find("table-unread", Warning, fmt.Sprintf("Susunan tabel pada %s tidak dikenali: nilai yang mungkin milik baris lain dikosongkan. Bacalah suratnya.", partName(c.sheet.part)))
		}
		if c.openDate && r.Letter.Date == nil {
			w.find("date-incomplete", Info, "Tanggal surat tidak diisi lengkap.")
		}
	}
}

// mailSubject takes the mail's subject where no letter has its own.
func mailSubject(r *Reading, m *Mail) {
	if m == nil || r.Letter.Subject != nil {
		return
	}
	if r.Letter.Subject = str(Mask(strings.TrimSpace(m.Subject))); r.Letter.Subject != nil {
		r.Evidence = append(r.Evidence, Evidence{Field: "letter.subject", Part: "mail", Text: *r.Letter.Subject, How: "text"})
	}
}

// namedInSubject reads the applicant from the subject ("Reset Passphrase a.n. Slamet NIP 1970...") where nothing else names one.
func namedInSubject(kind Kind, ordered []*content, m *Mail, meta *Meta) {
	if kind != ResetRequest && kind != Unclear {
		return
	}
	main := ordered[0]
	subject, line := "", outside
	for _, c := range ordered {
		if len(c.applicants) > 0 {
			return
		}
	}
	switch {
	case main.subject.text != "":
		subject, line = main.subject.text, main.subject.line
	case m != nil:
		subject = m.Subject
	case meta != nil:
		subject = meta.Subject
	}
	main.headline = subject
	main.applicants = newSheet(newDocument("", "text", subject)).prose()
	for _, p := range main.applicants {
		for f := range p.lines {
			p.lines[f] = line
		}
	}
}

// rank orders the texts: the letter itself before a cover note, more identities before fewer.
func rank(contents []*content) []*content {
	score := func(c *content) int {
		n := 0
		if c.number.text != "" {
			n += 3
		}
		if c.subject.text != "" {
			n += 2
		}
		if c.signer != nil {
			n += 2
		}
		if len(c.applicants) > 0 {
			n += 3
			n += c.applicants[0].weight()
		}
		if c.office.text != "" {
			n += 2
		}
		if c.sheet.cover && c.sheet.part == "mail" {
			n -= 3
		}
		return n
	}
	out := append([]*content(nil), contents...)
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && score(out[j]) > score(out[j-1]); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// mergeFields writes the first text's fields, then what the others add: further applicants, and fields that are still empty of the same
// person. Who is named in a mail alone, beside a letter for others, is left out and told.
func (w *work) mergeFields(r *Reading, ordered []*content) {
	main := ordered[0]
	for _, c := range ordered[1:] {
		var extra []*person
		for _, p := range c.applicants {
			known := false
			for _, q := range main.applicants {
				if samePerson(p, q) {
					known = true
				}
			}
			isSigner := main.signer != nil && samePerson(p, main.signer)
			switch {
			case known || isSigner || p.values[fieldName] == "" || p.values[fieldNIP] == "":
			case !c.sheet.cover:
				extra = append(extra, p)
			case len(main.applicants) > 0: // the letter counts, not what a mail says about it
				w.find("applicant-left-out", Warning, fmt.Sprintf("%s disebut di isi surel, tetapi tidak di suratnya; ia tidak diikutkan. Pastikan kepada pengirim untuk siapa reset dimohonkan.", p.values[fieldName]))
			}
		}
		c.applicants = extra
		if main.signer != nil {
			c.signer = nil
		}
		if c.sheet.cover && len(main.applicants) > 0 {
			c.office, c.date = valueAt{}, valueAt{}
		}
	}
	for _, c := range ordered {
		c.write(r)
	}
}

// identityFindings checks the structure of the numbers.
func (w *work) identityFindings(r *Reading) {
	for i, a := range r.Applicants {
		who := fmt.Sprintf("pemohon ke-%d", i+1)
		if a.Name != nil {
			who = *a.Name
		}
		w.checkNIP(a.NIP, who, "nip-malformed")
		for _, b := range r.Applicants[:i] {
			if a.NIP != nil && b.NIP != nil && *a.NIP == *b.NIP {
				w.find("nip-shared", Warning, fmt.Sprintf("%s memakai NIP yang sama dengan pemohon lain dalam surat ini.", who))
			}
		}
		if a.NIK == nil {
			continue
		}
		if len(digitsOf(*a.NIK)) != 16 || len(*a.NIK) != 16 {
			w.find("nik-malformed", Warning, fmt.Sprintf("NIK %s tidak terdiri atas 16 angka.", who))
			continue
		}
		date, ok := nikDate(*a.NIK)
		if !ok {
			w.find("nik-malformed", Warning, fmt.Sprintf("Tanggal lahir di dalam NIK %s tidak mungkin.", who))
		} else if a.NIP != nil && len(*a.NIP) == 18 && nipProblem(*a.NIP) == "" && date != (*a.NIP)[6:8]+(*a.NIP)[4:6]+(*a.NIP)[2:4] {
			w.find("nik-date-differs", Warning, fmt.Sprintf("Tanggal lahir di dalam NIK dan NIP %s berbeda.", who))
		}
	}
	if s := r.Letter.Signer; s != nil {
		w.checkNIP(s.NIP, "penanda tangan", "signer-nip-malformed")
	}
}

func (w *work) checkNIP(nip *string, who, code string) {
	if nip == nil {
		return
	}
	if p := nipProblem(*nip); p != "" {
		w.find(code, Warning, fmt.Sprintf("NIP %s tidak wajar: %s.", who, p))
	}
}

// correctionFindings says which numbers were not read as digits, and what became of the proposal.
func (w *work) correctionFindings(r *Reading) {
	for _, c := range r.Corrections {
		if c.Field == "letter.number" {
			w.find("number-correction", Warning, numberCorrection(c))
			continue
		}
		who, kind, code := "penanda tangan", "NIP", "nip-correction"
		for i, a := range r.Applicants {
			if strings.HasPrefix(c.Field, fmt.Sprintf("applicants[%d].", i)) {
				if who = fmt.Sprintf("pemohon ke-%d", i+1); a.Name != nil {
					who = *a.Name
				}
			}
		}
		if strings.HasSuffix(c.Field, ".nik") {
			kind, code = "NIK", "nik-correction"
		}
		if strings.HasSuffix(c.Field, ".email") {
			w.find("email-correction", Warning, fmt.Sprintf("E-mail %s terbaca dengan spasi di dalamnya; yang dipakai adalah koreksinya dengan garis bawah. Cocokkan dengan surat aslinya.", who))
			continue
		}
		if c.Used {
			w.find(code, Warning, fmt.Sprintf("%s %s terbaca dengan huruf di antara angka; yang dipakai adalah koreksinya. Cocokkan setiap angka dengan surat aslinya.", kind, who))
		} else {
			w.find(code, Warning, fmt.Sprintf("%s %s terbaca dengan huruf di antara angka, dan koreksinya tidak berbentuk %s yang wajar, jadi tidak dipakai. Bacalah angkanya pada surat aslinya.", kind, who, kind))
		}
	}
}

func numberCorrection(c Correction) string {
	if c.Used {
		return fmt.Sprintf("Bulan Romawi dalam nomor surat terbaca keliru (%s); yang dipakai adalah koreksinya (%s). Cocokkan dengan surat aslinya.", c.Read, c.Proposed)
	}
	return fmt.Sprintf("Bulan dalam nomor surat (%s) mungkin angka Romawi (%s); yang terbaca tidak diubah. Cocokkan dengan surat aslinya.", c.Read, c.Proposed)
}

// secretFindings says that a secret was masked, wherever it stood.
func (w *work) secretFindings(contents []*content, m *Mail, meta *Meta) {
	for _, c := range contents {
		if c.sheet.masked().secret {
			w.find("secret-masked", Danger, fmt.Sprintf("Pengirim menuliskan passphrase, kata sandi, PIN atau OTP di %s; nilainya disamarkan. Ingatkan pemiliknya untuk menggantinya.", partName(c.sheet.part)))
		}
	}
	if meta != nil {
		if _, hit := mask(meta.Subject + "\n" + meta.Summary); hit {
			w.find("secret-masked", Danger, "Passphrase, kata sandi, PIN atau OTP tertulis dalam perihal atau ringkasan di Srikandi; nilainya disamarkan. Ingatkan pemiliknya untuk menggantinya.")
		}
	}
	if m != nil {
		if _, hit := mask(m.Quoted + "\n" + m.Sign + "\n" + m.Subject); hit {
			w.find("secret-masked", Danger, "Pengirim menuliskan passphrase, kata sandi, PIN atau OTP di kutipan atau perihal; nilainya disamarkan.")
		}
	}
}

// meta turns Srikandi's metadata into a document, so that its words are weighed like a letter's.
func (w *work) meta(m *Meta) {
	if m.Temporary {
		w.find("number-temporary", Info, "Nomor surat di Srikandi masih sementara: surat belum ditandatangani.")
	}
}

// metaFields takes the letter's own fields from Srikandi, which registered them.
func (w *work) metaFields(r *Reading, m *Meta) {
	note := func(name, v string) *string {
		v = Mask(strings.TrimSpace(v))
		if v == "" {
			return nil
		}
		r.Evidence = append(r.Evidence, Evidence{Field: name, Part: "srikandi", Text: v, How: "metadata"})
		return &v
	}
	r.Letter.Number = note("letter.number", m.Number)
	if d, ok := parseDate(m.Date); ok {
		r.Letter.Date = note("letter.date", d)
	}
	r.Letter.Subject = note("letter.subject", m.Subject)
	office := m.Office
	if office == "" {
		office = m.Agency
	}
	r.Letter.Office = note("letter.office", office)
	s := m.Signer
	if s.Name != nil || s.NIP != nil || s.Position != nil {
		r.Letter.Signer = &Signer{}
		if s.Name != nil {
			r.Letter.Signer.Name = note("letter.signer.name", *s.Name)
		}
		if s.NIP != nil {
			r.Letter.Signer.NIP = note("letter.signer.nip", digitsOf(*s.NIP))
		}
		if s.Position != nil {
			r.Letter.Signer.Position = note("letter.signer.position", *s.Position)
		}
	}
}

// alternativesDiffer: the plain and the HTML text of a mail hold different numbers or addresses.
func alternativesDiffer(m *Mail) bool {
	if strings.TrimSpace(m.Alternative) == "" || strings.TrimSpace(m.Text) == "" {
		return false
	}
	whole := m.Text + "\n" + m.Quoted + "\n" + m.Forwarded + "\n" + m.Sign
	for _, pair := range [][2]string{{whole, m.Alternative}, {m.Alternative, whole}} {
		digits := digitsOf(pair[1])
		low := strings.ToLower(pair[1])
		for _, n := range digitRun.FindAllString(pair[0], 100) {
			if !strings.Contains(digits, digitsOf(n)) {
				return true
			}
		}
		for _, e := range emailRun.FindAllString(pair[0], 100) {
			if !strings.Contains(low, strings.ToLower(e)) {
				return true
			}
		}
	}
	return false
}

package complaint

import "pulih/internal/sop"

// ForOffice says where the complaint stands in the words of the agency's own people.
func (s *State) ForOffice() string {
	switch s.Status {
	case StatusNew:
		return "Menunggu golongan"
	case StatusOpen:
		if s.Holder != sop.Verifier {
			return "Menunggu jawaban " + s.Holder.Title()
		}
		return "Menunggu jawaban"
	case StatusBSrE:
		return "Diteruskan ke BSrE"
	case StatusAnswered:
		return "Dijawab"
	case StatusDismissed:
		return "Ditutup tanpa jawaban"
	}
	return string(s.Status)
}

// ForComplainant says it in the words of whoever complained. It tells nothing of people or requests.
func (s *State) ForComplainant() string {
	switch s.Status {
	case StatusNew, StatusOpen:
		return "Pengaduan sedang ditangani"
	case StatusBSrE:
		return "Pengaduan diteruskan ke BSrE"
	case StatusAnswered:
		return "Pengaduan telah dijawab"
	case StatusDismissed:
		return "Pengaduan ditutup"
	}
	return string(s.Status)
}

// Called is how the complainant is called among the agency's own people: by name, or else by what is known of them.
func (c Complainant) Called() string {
	for _, s := range []string{c.Name, c.Handle, c.Email, c.Phone} {
		if s != "" {
			return s
		}
	}
	return "Tanpa nama"
}

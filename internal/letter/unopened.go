package letter

// Unopened is the reading of a file that wasn't opened, since it is too large or can't be had; a human must look. at is what is known of
// it; nil for nothing.
func Unopened(name, code, why string, at *Attachment) Reading {
	w := &work{reader: &Reader{}, seen: map[string]bool{}}
	if at != nil {
		w.attachments = append(w.attachments, *at)
	}
	w.unread(name, code, why)
	return w.conclude(nil, nil)
}

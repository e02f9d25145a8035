// Package mailflow is the official mailbox, both ways: the inbox (IMAP), which commits every message as raw bytes before anything reads
// it, and the outbox (SMTP), which says a thing once and says so when it doesn't know. Between both stand the marks of a mail: automatic
// or not, a bounce of which of our mails, an answer to which request, and who really sent it.
//
// It knows neither Srikandi nor BSrE. It opens no file and no database: what it reads goes to an Archive, what it sends comes as an
// Envelope, and what happened to it goes back as a Result.
package mailflow

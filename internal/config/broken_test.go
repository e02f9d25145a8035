package config

import (
	"fmt"
	"strings"
	"testing"
)

// A small whole file: the table below breaks it in one place each.
const small = `operator: {email: operator@pulih.example}
agencies:
  - key: purbalingga
    prefix: PBG
    name: Pemerintah Kabupaten Purbalingga
    unit: Dinkominfo
    phone: 0281-555010
    hours_text: Senin-Jumat
    domains: [purbalinggakab.go.id]
    zone: Asia/Jakarta
    sop: purbalingga
    inbox: {host: imap.example, user: tte, password_env: IMAP}
    outbox: {host: smtp.example, from: tte@purbalinggakab.go.id}
    staff:
      - {id: surya, name: Surya, position: Kadin, email: surya@purbalinggakab.go.id, roles: [head]}
      - {id: rini, name: Rini, position: Verifikator, email: rini@purbalinggakab.go.id, roles: [section, verifier]}
    offices:
      - id: dinkes
        name: Dinas Kesehatan
        head: {name: Endah, position: Kepala, email: endah@purbalinggakab.go.id}
`

func smallEnv(name string) string { return map[string]string{"IMAP": "sesuatu", "OTHER": "lain"}[name] }

func TestBrokenFilesSayWhatIsWrongWhereAndWhatWasExpected(t *testing.T) {
	t.Parallel()
	if _, err := Parse([]byte(small), "pulih.yaml", smallEnv); err != nil {
		t.Fatalf("the file that the table breaks is broken itself:\n%s", err)
	}
	for _, c := range []struct{ name, old, new, want string }{ // want without "pulih.yaml:" before each line
		{"unknown zone", "Asia/Jakarta", "Asia/Jakata",
			`10: agencies[0].zone: "Asia/Jakata" is no time zone; expected e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura"`},
		{"zone of the machine", "Asia/Jakarta", "Local",
			`10: agencies[0].zone: "Local" is no time zone; expected e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura"`},
		{"key of a page", "key: purbalingga", "key: masuk",
			`3: agencies[0].key: "masuk" is a page of the program itself; expected another, e.g. the region's name`},
		{"sign-on over plain http", "    zone:", "    sso: {issuer: 'http://sso.example', client_id: pulih, client_secret_env: IMAP}\n    zone:",
			`10: agencies[0].sso.issuer: the client's secret would go over plain http; expected https, or http to this machine alone`},
		{"four eyes with two", "    zone:", "    rules: {four_eyes: true}\n    zone:",
			`10: agencies[0].rules.four_eyes: one person alone has the role verifier; expected at least two, or no approval would ever suffice`},
		{"key twice", "    prefix: PBG\n", "    prefix: PBG\n    prefix: PBX\n",
			`5: agencies[0].prefix: given twice, first in line 4`},
		{"misspelt key below", "user: tte,", "user: tte, pasword_env: IMAP,",
			`12: agencies[0].inbox.pasword_env: unknown key; expected one of: host, port, tls, user, password_file, password_env, oauth_token_file, oauth_token_env, folder, after, target, since, poll, limit, authserv_id`},
		{"secret in the file", "password_env: IMAP", "password: hunter2",
			`12: agencies[0].inbox.password: a secret never stands in this file; put it into a file and name that as password_file, or an environment variable as password_env`},
		{"environment variable not set", "password_env: IMAP", "password_env: NOPE",
			`12: agencies[0].inbox.password_env: the environment variable NOPE is not set`},
		{"secret as the variable's name", "password_env: IMAP", "password_env: hunter2",
			`12: agencies[0].inbox.password_env: the value is no name of an environment variable; expected e.g. PULIH_IMAP_PASSWORD`},
		{"secret as the file's name", "password_env: IMAP", "password_file: hunter2",
			`12: agencies[0].inbox.password_file: the file named here can't be read (paths are relative to this file): no such file or directory`},
		{"secret by file and variable", "password_env: IMAP", "password_env: IMAP, password_file: x",
			`12: agencies[0].inbox.password_file: agencies[0].inbox.password is given twice; expected either the file or the environment variable`},
		{"two ways to sign in", "password_env: IMAP", "password_env: IMAP, oauth_token_env: OTHER",
			`12: agencies[0].inbox.password: expected either password_file, password_env or oauth_token_file, and one of them alone`},
		{"no way to sign in", ", password_env: IMAP", "",
			`12: agencies[0].inbox.password: expected either password_file, password_env or oauth_token_file, and one of them alone`},
		{"tab", "    name: Pem", "\tname: Pem",
			`5: not readable as YAML: found character TAB that cannot start any token`},
		{"bracket left open", "domains: [purbalinggakab.go.id]", "domains: [purbalinggakab.go.id",
			`10: not readable as YAML: ',' or ']' must be specified`},
		{"two documents", "    zone:", "---\n    zone:",
			`10: not readable as YAML: a second document; expected one`},
		{"anchor", "zone: Asia/Jakarta", "zone: &z Asia/Jakarta",
			`10: agencies[0].zone: anchors (&), aliases (*) and tags (!) are not read here; write the value out`},
		{"tag", "zone: Asia/Jakarta", "zone: !!str Asia/Jakarta",
			`10: agencies[0].zone: anchors (&), aliases (*) and tags (!) are not read here; write the value out`},
		{"key without a value", "zone: Asia/Jakarta", "zone:",
			`10: agencies[0].zone: has no value; expected a time zone, e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura", or remove the key`},
		{"empty text", "zone: Asia/Jakarta", "zone: ''",
			`10: agencies[0].zone: has no value; expected a time zone, e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura", or remove the key`},
		{"list where a text belongs", "zone: Asia/Jakarta", "zone: [Asia/Jakarta]",
			`10: agencies[0].zone: expected a time zone, e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura", a single value`},
		{"text where a list belongs", "domains: [purbalinggakab.go.id]", "domains: purbalinggakab.go.id",
			`9: agencies[0].domains: expected a list, each item a domain name, e.g. purbalinggakab.go.id`},
		{"text where keys belong", "operator: {email: operator@pulih.example}", "operator: operator@pulih.example",
			`1: operator: expected keys with values: email`},
		{"line end in a name", "name: Dinas Kesehatan", "name: \"Dinas\\nBcc: a@b.example\"",
			`19: agencies[0].offices[0].name: holds a line end or another control character; expected a text on one line`},
		{"missing key", "    prefix: PBG\n", "",
			`3: agencies[0].prefix: missing; expected a prefix, 2 to 5 capital letters, e.g. PBG`},
		{"missing block", "operator: {email: operator@pulih.example}\n", "",
			`1: operator: missing; expected keys with values: email`},
		{"bad key", "key: purbalingga", "key: Purbalingga",
			`3: agencies[0].key: "Purbalingga" is no key; expected 2 to 40 lower-case letters, digits and hyphens, a letter first, e.g. purbalingga`},
		{"bad prefix", "prefix: PBG", "prefix: pbg",
			`4: agencies[0].prefix: "pbg" is no prefix; expected 2 to 5 capital letters, e.g. PBG`},
		{"bad telephone", "phone: 0281-555010", "phone: tidak ada",
			`7: agencies[0].phone: "tidak ada" is no telephone number; expected e.g. (0281) 891012`},
		{"bad domain", "[purbalinggakab.go.id]", "['@purbalinggakab.go.id']",
			`9: agencies[0].domains[0]: "@purbalinggakab.go.id" is no domain name; expected e.g. purbalinggakab.go.id`},
		{"domain by a lookalike", "email: rini@purbalinggakab.go.id", "email: rini@evilpurbalinggakab.go.id",
			`16: agencies[0].staff[1].email: "rini@evilpurbalinggakab.go.id" is outside the agency's domains; expected an address in: purbalinggakab.go.id`},
		{"address outside the domains", "from: tte@purbalinggakab.go.id", "from: tte@gmail.com",
			`13: agencies[0].outbox.from: "tte@gmail.com" is outside the agency's domains; expected an address in: purbalinggakab.go.id`},
		{"office's address outside", "name: Dinas Kesehatan", "name: Dinas Kesehatan\n        addresses: [dinkes@yahoo.co.id]",
			`20: agencies[0].offices[0].addresses[0]: "dinkes@yahoo.co.id" is outside the agency's domains; expected an address in: purbalinggakab.go.id`},
		{"no address", "email: endah@purbalinggakab.go.id", "email: endah",
			`20: agencies[0].offices[0].head.email: "endah" is no e-mail address; expected e.g. nama@purbalinggakab.go.id`},
		{"address with a name", "email: endah@purbalinggakab.go.id", "email: 'Endah <endah@purbalinggakab.go.id>'",
			`20: agencies[0].offices[0].head.email: "Endah <endah@purbalinggakab.go.id>" is no e-mail address; expected e.g. nama@purbalinggakab.go.id`},
		{"unknown role", "roles: [head]", "roles: [boss]",
			`14: agencies[0].staff: nobody has the role head (Kadin); expected at least one person
15: agencies[0].staff[0].roles[0]: "boss" is unknown; expected one of: head, division, section, verifier, operator, auditor`},
		{"role of nobody on the staff", "roles: [head]", "roles: [applicant]",
			`14: agencies[0].staff: nobody has the role head (Kadin); expected at least one person
15: agencies[0].staff[0].roles[0]: "applicant" is unknown; expected one of: head, division, section, verifier, operator, auditor`},
		{"role twice", "roles: [head]", "roles: [head, head]",
			`15: agencies[0].staff[0].roles[1]: "head" is given twice`},
		{"nobody is head", "roles: [head]", "roles: [division]",
			`14: agencies[0].staff: nobody has the role head (Kadin); expected at least one person`},
		{"nobody verifies", "roles: [section, verifier]", "roles: [section]",
			`14: agencies[0].staff: nobody has the role verifier (Verifikator); expected at least one person`},
		{"no head of the office", "        head: {name: Endah, position: Kepala, email: endah@purbalinggakab.go.id}\n", "",
			`18: agencies[0].offices[0].head: missing; expected keys with values: name, nip, nik, position, email, phone`},
		{"id twice", "id: rini", "id: surya",
			`16: agencies[0].staff[1].id: the same id as agencies[0].staff[0].id in line 15; expected one of its own`},
		{"address twice", "email: rini@", "email: SURYA@",
			`16: agencies[0].staff[1].email: the same address as agencies[0].staff[0].email in line 15; expected one of its own`},
		{"position twice", "position: Verifikator", "position: Plt. Kadin",
			`16: agencies[0].staff[1].position: "Plt. Kadin" is also the position of surya; expected one of its own, or dispositions could not be told apart`},
		{"NIP too short", "position: Kadin", "position: Kadin, nip: 19680214199303190",
			`15: agencies[0].staff[0].nip: the value is no NIP; expected 18 digits, with or without blanks`},
		{"NIP twice", "position: Kadin, email: surya@purbalinggakab.go.id, roles: [head]}", "position: Kadin, nip: '19680214 199303 1 901', email: surya@purbalinggakab.go.id, roles: [head]}\n      - {id: dua, name: Dua, position: Dua, nip: 196802141993031901, email: dua@purbalinggakab.go.id, roles: [auditor]}",
			`16: agencies[0].staff[1].nip: the same NIP as agencies[0].staff[0].nip in line 15; expected one of its own`},
		{"NIK", "name: Endah,", "name: Endah, nik: 123,",
			`20: agencies[0].offices[0].head.nik: the value is no NIK; expected 16 digits`},
		{"unknown deputy", "roles: [head]", "roles: [head], leave: [{first_day: 2026-11-02, last_day: 2026-11-03, deputy: siapa}]",
			`15: agencies[0].staff[0].leave[0].deputy: "siapa" is nobody's id in staff; expected one of: surya, rini`},
		{"deputy of oneself", "roles: [head]", "roles: [head], leave: [{first_day: 2026-11-02, last_day: 2026-11-03, deputy: surya}]",
			`15: agencies[0].staff[0].leave[0].deputy: "surya" can't be their own deputy`},
		{"leave backwards", "roles: [head]", "roles: [head], leave: [{first_day: 2026-11-03, last_day: 2026-11-02, deputy: rini}]",
			`15: agencies[0].staff[0].leave[0].last_day: 2026-11-02 is before first_day 2026-11-03`},
		{"leaves overlap", "roles: [head]", "roles: [head], leave: [{first_day: 2026-11-02, last_day: 2026-11-05, deputy: rini}, {first_day: 2026-11-05, last_day: 2026-11-06, deputy: rini}]",
			`15: agencies[0].staff[0].leave[1].first_day: overlaps leave[0] (2026-11-02 to 2026-11-05)`},
		{"no such day", "roles: [head]", "roles: [head], leave: [{first_day: 2026-02-30, last_day: 2026-11-06, deputy: rini}]",
			`15: agencies[0].staff[0].leave[0].first_day: "2026-02-30" is no day between 2000 and 2199; expected e.g. 2026-11-16`},
		{"office's name twice", "    offices:\n", "    offices:\n      - {id: dua, name: DINAS  KESEHATAN, head: {name: A, position: B, email: c@purbalinggakab.go.id}}\n",
			`20: agencies[0].offices[1].name: "Dinas Kesehatan" is also a name of dua; expected one of its own`},
		{"official's address twice", "    offices:\n", "    offices:\n      - {id: dua, name: Dinas Dua, head: {name: A, position: B, email: Endah@purbalinggakab.go.id}}\n",
			`21: agencies[0].offices[1].head.email: the same address as agencies[0].offices[0].head.email in line 18; expected one of its own`},
		{"unknown SOP", "sop: purbalingga", "sop: banyumas",
			`11: agencies[0].sop: SOP "banyumas" is unknown; expected one of purbalingga, madiun, or a file such as ./sop-kami.yaml`},
		{"SOP file missing", "sop: purbalingga", "sop: ./tidak-ada.yaml",
			`11: agencies[0].sop: reading "./tidak-ada.yaml": no such file or directory`},
		{"closed days missing", "    zone:", "    closed_days: [tidak-ada.csv]\n    zone:",
			`10: agencies[0].closed_days[0]: reading the closed days: no such file or directory`},
		{"hours out of order", "    zone:", "    hours: [{name: biasa, monday: '13.00-16.00, 07.30-12.00'}]\n    zone:",
			`10: agencies[0].hours[0].monday: "13.00-16.00, 07.30-12.00" are no hours of a day in their order; expected e.g. "07.30-12.00, 13.00-16.00", or closed`},
		{"no usual hours", "    zone:", "    hours: [{name: Ramadan, first_day: 2026-02-19, last_day: 2026-03-20, monday: 08.00-12.00}]\n    zone:",
			`10: agencies[0].hours: the usual hours are missing; expected one rule of hours without dates`},
		{"hours with one end", "    zone:", "    hours: [{name: biasa, monday: 08.00-12.00}, {name: Ramadan, first_day: 2026-02-19, monday: 08.00-12.00}]\n    zone:",
			`10: agencies[0].hours[1]: "Ramadan" has one end; expected both first_day and last_day, or neither for the usual hours`},
		{"no way in", "    inbox: {host: imap.example, user: tte, password_env: IMAP}\n", "",
			`3: agencies[0]: no way for letters to come in; expected srikandi, inbox or both`},
		{"plain IMAP", "host: imap.example,", "host: imap.example, tls: none,",
			`12: agencies[0].inbox.tls: the password would go unencrypted to imap.example; expected tls or starttls (none is for this machine alone)`},
		{"plain SMTP", "host: smtp.example,", "host: smtp.example, tls: none,",
			`13: agencies[0].outbox.tls: mails and the password would go unencrypted to smtp.example; expected tls or starttls (none is for this machine alone)`},
		{"unknown TLS", "host: smtp.example,", "host: smtp.example, tls: ssl,",
			`13: agencies[0].outbox.tls: "ssl" is unknown; expected one of: tls, starttls, none`},
		{"port in the host", "host: smtp.example,", "host: 'smtp.example:25',",
			`13: agencies[0].outbox.host: "smtp.example:25" is no host; expected a name or an IP address without a port, e.g. mail.purbalinggakab.go.id`},
		{"port", "host: smtp.example,", "host: smtp.example, port: 70000,",
			`13: agencies[0].outbox.port: 70000 is too large; expected at most 65535`},
		{"port in words", "host: smtp.example,", "host: smtp.example, port: smtp,",
			`13: agencies[0].outbox.port: "smtp" is no whole number; expected a whole number from 1 to 65535`},
		{"move without a folder", "user: tte,", "user: tte, after: move,",
			`12: agencies[0].inbox.target: missing; after: move expects the name of the folder`},
		{"move to itself", "user: tte,", "user: tte, after: move, target: INBOX,",
			`12: agencies[0].inbox.target: "INBOX" is the folder that is read; expected another`},
		{"keyword", "user: tte,", "user: tte, after: keyword, target: 'sudah dibaca',",
			`12: agencies[0].inbox.target: "sudah dibaca" is no IMAP keyword; expected a word such as Pulih`},
		{"size", "user: tte,", "user: tte, limit: 35,",
			`12: agencies[0].inbox.limit: "35" is no size; expected e.g. 35MB`},
		{"size too small", "user: tte,", "user: tte, limit: 1KB,",
			`12: agencies[0].inbox.limit: 1KB is too small; expected at least 64KB`},
		{"poll too quick", "user: tte,", "user: tte, poll: 10ms,",
			`12: agencies[0].inbox.poll: 10ms is too small; expected at least 1s`},
		{"poll without a unit", "user: tte,", "user: tte, poll: 60,",
			`12: agencies[0].inbox.poll: "60" is no length of time; expected a length of time, e.g. 30s, 15m, 2h or 90d`},
		{"negative", "user: tte,", "user: tte, poll: -1m,",
			`12: agencies[0].inbox.poll: "-1m" is no length of time; expected a length of time, e.g. 30s, 15m, 2h or 90d`},
		{"SMTP user without a password", "host: smtp.example,", "host: smtp.example, user: tte,",
			`13: agencies[0].outbox.password: expected either password_file, password_env or oauth_token_file, and one of them alone`},
		{"SMTP password without a user", "host: smtp.example,", "host: smtp.example, password_env: OTHER,",
			`13: agencies[0].outbox.user: missing; a password without a user`},
		{"DKIM key", "host: smtp.example,", "host: smtp.example, dkim: {domain: purbalinggakab.go.id, selector: pulih, key_env: OTHER},",
			`13: agencies[0].outbox.dkim.key: no private key in PEM; expected -----BEGIN PRIVATE KEY----- with an RSA or Ed25519 key`},
		{"mode", "    zone:", "    mode: otomatis\n    zone:",
			`10: agencies[0].mode: "otomatis" is unknown; expected one of: assisted, ams`},
		{"AMS without consent", "    zone:", "    mode: ams\n    zone:",
			`10: agencies[0].mode: "ams" is allowed with BSrE's consent alone; expected its reference as consent, or mode: assisted
10: agencies[0].mode: "ams" needs the portal; expected bsre.ams, or mode: assisted`},
		{"Srikandi by plain http", "    zone:", "    srikandi: {url: 'http://gw.example', client_id: a, client_secret_env: OTHER}\n    zone:",
			`10: agencies[0].srikandi.url: the client's secret would go over plain http; expected https, or http to this machine alone`},
		{"Srikandi's password in the URL", "    zone:", "    srikandi: {url: 'https://a:hunter2@gw.example', client_id: a, client_secret_env: OTHER}\n    zone:",
			`10: agencies[0].srikandi.url: the value is no URL; expected http(s)://host[:port][/path] without user name, query or fragment`},
		{"Srikandi without an account", "    zone:", "    srikandi: {url: 'https://gw.example'}\n    zone:",
			`10: agencies[0].srikandi.client_id: missing; expected the account at the gateway
10: agencies[0].srikandi.client_secret: missing; expected client_secret_file or client_secret_env`},
		{"Srikandi's folder", "    zone:", "    srikandi: {source: folder}\n    zone:",
			`10: agencies[0].srikandi.folder: missing; source: folder expects the directory that letters are dropped in`},
		{"eSign by plain http", "    zone:", "    bsre: {esign: {url: 'http://esign.example', user: a, password_env: OTHER}}\n    zone:",
			`10: agencies[0].bsre.esign.url: NIK and password would go over plain http; expected https, or plain_http: true inside an intranet`},
		{"portal by plain http", "    zone:", "    bsre: {ams: {beid_url: 'http://beid.example', portal_url: 'http://ams.example', operator_ip: rumah}}\n    zone:",
			`10: agencies[0].bsre.ams.operator_ip: "rumah" is no IP address; expected e.g. 203.0.113.7
10: agencies[0].bsre.ams.beid_url: passwords would go over plain http; expected https
10: agencies[0].bsre.ams.portal_url: tokens would go over plain http; expected https`},
		{"window", "    zone:", "    bsre: {ams: {beid_url: 'https://beid.example', portal_url: 'https://ams.example', operator_ip: 203.0.113.7, windows: [setiap hari]}}\n    zone:",
			`10: agencies[0].bsre.ams.windows[0]: "setiap hari" is no window; expected days and hours, e.g. mon-fri 07.30-21.00`},
		{"reminders", "    zone:", "    rules: {remind_at: [0.9, 0.6]}\n    zone:",
			`10: agencies[0].rules.remind_at: expected shares of a norm between 0 and 1, the smaller first, e.g. [0.6, 0.9]`},
		{"reminder that is no number", "    zone:", "    rules: {remind_at: [.nan]}\n    zone:",
			`10: agencies[0].rules.remind_at[0]: ".nan" is no number`},
		{"flag", "    zone:", "    rules: {mail_skips_chain: yes}\n    zone:",
			`10: agencies[0].rules.mail_skips_chain: "yes" is neither true nor false`},
		{"cron with a zone", "    zone:", "    schedules: {digest_head: 'CRON_TZ=Asia/Jakarta'}\n    zone:",
			`10: agencies[0].schedules.digest_head: "CRON_TZ=Asia/Jakarta" is no schedule; expected five fields (minute hour day month weekday), e.g. "45 7 * * 1-5", or open+15m, close-15m, off`},
		{"cron every", "    zone:", "    schedules: {digest_head: '@every -5s'}\n    zone:",
			`10: agencies[0].schedules.digest_head: "@every -5s" is no schedule; expected five fields (minute hour day month weekday), e.g. "45 7 * * 1-5", or open+15m, close-15m, off`},
		{"cron never", "    zone:", "    schedules: {digest_head: '0 9 31 2 *'}\n    zone:",
			`10: agencies[0].schedules.digest_head: "0 9 31 2 *" never comes; expected a day that the month has`},
		{"cron storm", "    zone:", "    schedules: {digest_head: '* * * * *'}\n    zone:",
			`10: agencies[0].schedules.digest_head: "* * * * *" would send mails more than once an hour; expected e.g. "45 7 * * 1-5"`},
		{"cron field", "    zone:", "    schedules: {digest_head: '0 25 * * *'}\n    zone:",
			`10: agencies[0].schedules.digest_head: "0 25 * * *" is no schedule: end of range (25) above maximum (23): 25; expected five fields (minute hour day month weekday), e.g. "45 7 * * 1-5"`},
		{"after the close", "    zone:", "    schedules: {digest_head: close+15m}\n    zone:",
			`10: agencies[0].schedules.digest_head: "close+15m" is no schedule; expected five fields (minute hour day month weekday), e.g. "45 7 * * 1-5", or open+15m, close-15m, off`},
		{"templates", "    zone:", "    templates: tidak-ada\n    zone:",
			`10: agencies[0].templates: no directory; expected one with the templates that the agency words itself`},
		{"deputies in a circle", "roles: [head]}\n      - {id: rini,", "roles: [head], leave: [{first_day: 2026-11-02, last_day: 2026-11-06, deputy: rini}]}\n      - {id: rini, leave: [{first_day: 2026-11-05, last_day: 2026-11-09, deputy: surya}],",
			`16: agencies[0].staff[1].leave[0].deputy: the deputies of rini stand in a circle on 2026-11-05; expected somebody who is there`},
		{"a step that nobody does", "sop: purbalingga", "sop: madiun", `14: agencies[0].staff: the SOP's step division is nobody's; expected somebody with the role division`},
		{"acting with another address than at home", "    offices:\n", "    offices:\n      - id: dua\n        name: Dinas Dua\n        head: {name: A, position: B, email: a@purbalinggakab.go.id}\n        acting: [{name: X, nip: 196802141993031901, position: C, email: x2@purbalinggakab.go.id}]\n        officials: [{name: Y, position: C, email: y@purbalinggakab.go.id}]\n      - {id: tiga, name: Dinas Tiga, head: {name: X, nip: 19680214 199303 1 901, position: B, email: x@purbalinggakab.go.id}}\n",
			`21: agencies[0].offices[0].acting[0].email: another address than the same person has in tiga; expected the same`},
		{"acting with somebody else's address", "position: Kepala, email: endah@purbalinggakab.go.id}\n", "position: Kepala, email: endah@purbalinggakab.go.id}\n        acting: [{name: Fajar, position: Sekretaris, email: ENDAH@purbalinggakab.go.id}]\n",
			`21: agencies[0].offices[0].acting[0].email: the address of somebody else in dinkes; expected one of their own`},
		{"certificates", "    zone:", "    ca_file: tidak-ada.pem\n    zone:", `10: agencies[0].ca_file: reading the certificates: no such file or directory`},
		{"reset's path", "    zone:", "    bsre: {ams: {beid_url: 'https://beid.example', portal_url: 'https://ams.example', operator_ip: 203.0.113.7, reset_path: '/reset/{uid}'}}\n    zone:",
			`10: agencies[0].bsre.ams.reset_path: expected {uid} and {serialNumber} in it, each once`},
		{"listen", "operator:", "listen: '8028'\noperator:",
			`1: listen: "8028" is no address to listen at; expected host:port, e.g. 127.0.0.1:8028`},
		{"public URL", "operator:", "public_url: http://pulih.example\noperator:",
			`1: public_url: sign-in links would go over plain http; expected https, or http to this machine alone`},
		{"database URL", "operator:", "database: {url_env: OTHER}\noperator:",
			`1: database.url: the value is no PostgreSQL URL; expected postgres://user@host/database`},
		{"log level", "operator:", "log: {level: trace}\noperator:",
			`1: log.level: "trace" is unknown; expected one of: debug, info, warn, error`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small, c.old, c.new, 1)
			if text == small {
				t.Fatal("breaks nothing")
			}
			_, err := Parse([]byte(text), "pulih.yaml", smallEnv)
			got := strings.ReplaceAll(fmt.Sprint(err), "pulih.yaml:", "")
			if got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Error("repeats a secret")
			}
		})
	}
}

func TestFilesThatAreNoConfiguration(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "1: empty, or no list of keys with values; expected keys such as listen, operator, agencies (see docs/configuration.md)"},
		"comments only": {"# nanti\n", "1: empty, or no list of keys with values; expected keys such as listen, operator, agencies (see docs/configuration.md)"},
		"a list":        {"- a\n- b\n", "1: empty, or no list of keys with values; expected keys such as listen, operator, agencies (see docs/configuration.md)"},
		"too deep":      {"a: " + strings.Repeat("[", 5000), "1: not readable as YAML: nested too deep"},
		"too large":     {strings.Repeat("#", maxFile+1), "1: not readable as YAML: larger than 4 MB"},
		"no agency": {"operator: {email: a@pulih.example}\nagencies: []\n", "2: agencies: empty; expected at least one item, each " +
			"keys with values: key, prefix, name, unit, team, phone, hours_text, domains, zone, sop, hours, closed_days, mode, consent, rules, " +
			"srikandi, inbox, outbox, bsre, sso, schedules, templates, ca_file, staff, offices"},
	} {
		_, err := Parse([]byte(c.text), "pulih.yaml", smallEnv)
		if got := fmt.Sprint(err); got != "pulih.yaml:"+c.want {
			t.Errorf("%s:\ngot  %s\nwant pulih.yaml:%s", name, got, c.want)
		}
	}
}

func TestAllMistakesAreReportedInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("Asia/Jakarta", "Mars", "[head]", "[boss, head]", "operator@", "", "port", "port").Replace(small)
	_, err := Parse([]byte(text), "pulih.yaml", smallEnv)
	want := `pulih.yaml:1: operator.email: "pulih.example" is no e-mail address; expected e.g. nama@purbalinggakab.go.id
pulih.yaml:10: agencies[0].zone: "Mars" is no time zone; expected e.g. "Asia/Jakarta", "Asia/Makassar" or "Asia/Jayapura"
pulih.yaml:15: agencies[0].staff[0].roles[0]: "boss" is unknown; expected one of: head, division, section, verifier, operator, auditor`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTwoAgenciesMayNotShareWhatBelongsToOne(t *testing.T) {
	t.Parallel()
	head, agency, _ := strings.Cut(small, "agencies:\n")
	_, err := Parse([]byte(head+"agencies:\n"+agency+agency), "pulih.yaml", smallEnv)
	want := `pulih.yaml:21: agencies[1].key: the same key as agencies[0].key in line 3; expected one of its own
pulih.yaml:22: agencies[1].prefix: the same prefix as agencies[0].prefix in line 4; expected one of its own
pulih.yaml:30: agencies[1].inbox: the same mailbox as agencies[0].inbox in line 12; expected one of its own`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestLinesAreRightWithWindowsLineEnds(t *testing.T) {
	t.Parallel()
	text := "# satu\r\n# dua\r\n" + strings.ReplaceAll(strings.Replace(small, "Asia/Jakarta", "Mars", 1), "\n", "\r\n")
	_, err := Parse([]byte("\xef\xbb\xbf"+text), "pulih.yaml", smallEnv)
	if got := fmt.Sprint(err); !strings.HasPrefix(got, "pulih.yaml:12: agencies[0].zone:") {
		t.Errorf("the zone stands in line 12: %s", got)
	}
}

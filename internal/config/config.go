// Package config reads the configuration file: strict YAML, every mistake named with its line and with what was expected, secrets from files
// or the environment alone. What comes out is complete and checked; the rest of the program reads it and never asks again.
package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
	_ "time/tzdata" // zones must resolve on machines without tzdata

	"pulih/internal/agency"
)

// maxFile bounds the configuration file and everything that it names, in bytes.
const maxFile = 4 << 20

// Config is the whole file. It is read-only after Parse. Paths in it are absolute or relative to the working directory; in the file they are
// relative to the file.
//
// The tags are the reader's rules: `default` fills a missing key, `required` refuses one, `oneof`, `min`, `max` and `is` (rules.go) bound the
// value. docs/configuration.md repeats them in words, and a test holds the two together.
type Config struct {
	Path string `yaml:"-"` // the file itself, as Load was given it

	State     string   `yaml:"state" default:"state" is:"path"`
	Database  Database `yaml:"database"`
	Listen    string   `yaml:"listen" default:"127.0.0.1:8028" is:"listen"`
	PublicURL string   `yaml:"public_url" is:"url"`
	Log       Log      `yaml:"log"`
	Keys      Keys     `yaml:"keys"`
	Operator  Operator `yaml:"operator" required:"true"`
	Roots     string   `yaml:"signature_roots" is:"path"` // folder of certificates that vouch for signers; none is shipped
	Tenants   []Tenant `yaml:"agencies" required:"true"`

	// Warnings are remarks that stop nothing: a secret's file that everybody may read.
	Warnings []string `yaml:"-"`
}

// Database names the PostgreSQL server. An empty URL means the private cluster below State.
type Database struct {
	URL Secret `yaml:"url"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level" default:"info" oneof:"debug info warn error"`
	Format string `yaml:"format" default:"text" oneof:"text json"`
}

// Keys is where the sealing keys lie. The file is made at first start.
type Keys struct {
	File string `yaml:"file" is:"path"` // default: "keys" below State
}

// Operator is who runs the software for all agencies.
type Operator struct {
	Email string `yaml:"email" required:"true" is:"email"`
}

// Tenant is one agency's part of the file: who they are and the accounts that the software uses in their name.
type Tenant struct {
	Agency  *agency.Agency `yaml:"-"` // built from everything below
	RootCAs *x509.CertPool `yaml:"-"` // the system's and those of CAFile; nil: the system's alone

	Key       string   `yaml:"key" required:"true" is:"key"`
	Prefix    string   `yaml:"prefix" required:"true" is:"prefix"`
	Name      string   `yaml:"name" required:"true"`
	Unit      string   `yaml:"unit" required:"true"`
	Team      string   `yaml:"team" default:"Tim Verifikator Sertifikat Elektronik"`
	Phone     string   `yaml:"phone" required:"true" is:"phone"`
	HoursText string   `yaml:"hours_text" required:"true"`
	Domains   []string `yaml:"domains" required:"true" is:"domain"`
	Zone      string   `yaml:"zone" default:"Asia/Jakarta" is:"zone"`

	SOP        string   `yaml:"sop" required:"true"`
	Hours      []Hours  `yaml:"hours"`
	ClosedDays []string `yaml:"closed_days" is:"path"`

	Mode    string `yaml:"mode" default:"assisted" oneof:"assisted ams"`
	Consent string `yaml:"consent"`
	Rules   Rules  `yaml:"rules"`

	Srikandi  *Srikandi `yaml:"srikandi"`
	Inbox     *Inbox    `yaml:"inbox"`
	Outbox    *Outbox   `yaml:"outbox" required:"true"`
	BSrE      BSrE      `yaml:"bsre"`
	SSO       *SSO      `yaml:"sso"`
	Schedules Schedules `yaml:"schedules"`
	Templates string    `yaml:"templates" is:"path"`
	CAFile    string    `yaml:"ca_file" is:"path"`

	Staff   []Person `yaml:"staff" required:"true"`
	Offices []Office `yaml:"offices" required:"true"`
}

// Rules are the agency's own choices; see agency.Rules.
type Rules struct {
	MaxLetterAge    time.Duration `yaml:"max_letter_age" default:"90d" min:"1d" max:"3650d"`
	RepeatWithin    time.Duration `yaml:"repeat_within" default:"7d" min:"0s" max:"365d"`
	SrikandiDecides bool          `yaml:"srikandi_decides" default:"false"`
	MailSkipsChain  bool          `yaml:"mail_skips_chain" default:"false"`
	DailyResets     int           `yaml:"daily_resets" default:"50" min:"1" max:"1000"`
	VerifierResets  int           `yaml:"verifier_daily_resets" default:"30" min:"1" max:"1000"`
	FourEyes        bool          `yaml:"four_eyes" default:"false"`
	LendSessions    bool          `yaml:"lend_sessions" default:"false"`
	RemindAt        []float64     `yaml:"remind_at" default:"0.6 0.9"`
}

// Srikandi is the gateway that letters come from and follow-ups go to: a server, or a folder of exported letters.
type Srikandi struct {
	Source       string        `yaml:"source" default:"http" oneof:"http folder"`
	URL          string        `yaml:"url" is:"url"`
	ClientID     string        `yaml:"client_id"`
	ClientSecret Secret        `yaml:"client_secret"`
	Folder       string        `yaml:"folder" is:"path"`
	FollowUps    string        `yaml:"follow_ups" is:"path"`                  // where source: folder writes them; none: not written
	Zone         string        `yaml:"zone" default:"Asia/Jakarta" is:"zone"` // of timestamps without one: SIKD writes WIB
	Poll         time.Duration `yaml:"poll" default:"1m" min:"1s" max:"1h"`
	Overlap      time.Duration `yaml:"overlap" default:"15m" min:"0s" max:"7d"`
	Timeout      time.Duration `yaml:"timeout" default:"30s" min:"1s" max:"10m"`
	Since        Date          `yaml:"since"` // where the first poll begins; none: all that the gateway has
}

// Inbox is the mailbox that letters come to by IMAP.
type Inbox struct {
	Host       string        `yaml:"host" required:"true" is:"host"`
	Port       int           `yaml:"port" min:"1" max:"65535"` // default: 993, or 143 with starttls and none
	TLS        string        `yaml:"tls" default:"tls" oneof:"tls starttls none"`
	User       string        `yaml:"user" required:"true"`
	Password   Secret        `yaml:"password"`
	OAuthToken Secret        `yaml:"oauth_token"`
	Folder     string        `yaml:"folder" default:"INBOX"`
	After      string        `yaml:"after" default:"none" oneof:"none keyword move"`
	Target     string        `yaml:"target"` // the keyword, or the folder
	Since      Date          `yaml:"since"`  // older mail is left alone; none: all of it is read
	Poll       time.Duration `yaml:"poll" default:"30s" min:"1s" max:"1h"`
	Limit      Size          `yaml:"limit" default:"35MB" min:"64KB" max:"200MB"`
	AuthservID string        `yaml:"authserv_id" is:"domain"`
}

// Outbox is the account that mails go out by.
type Outbox struct {
	Host          string `yaml:"host" required:"true" is:"host"`
	Port          int    `yaml:"port" min:"1" max:"65535"` // default: 465 with tls, 587 with starttls, 25 with none
	TLS           string `yaml:"tls" default:"starttls" oneof:"tls starttls none"`
	User          string `yaml:"user"`
	Password      Secret `yaml:"password"`
	OAuthToken    Secret `yaml:"oauth_token"`
	From          string `yaml:"from" required:"true" is:"email"`
	RatePerMinute int    `yaml:"rate_per_minute" default:"60" min:"1" max:"6000"`
	DKIM          *DKIM  `yaml:"dkim"`
}

// DKIM signs outgoing mail (RFC 6376).
type DKIM struct {
	Domain   string `yaml:"domain" required:"true" is:"domain"`
	Selector string `yaml:"selector" required:"true" is:"domain"`
	Key      Secret `yaml:"key" required:"true"` // PEM: RSA or Ed25519
}

// BSrE are the certificate authority's two interfaces; both may be missing in assisted mode.
type BSrE struct {
	ESign *ESign `yaml:"esign"`
	AMS   *AMS   `yaml:"ams"`
	Guide Guide  `yaml:"guide"`
}

// Guide names what a verifier sees and clicks in the portal, for resets made by hand: its labels are undocumented and free to change.
type Guide struct {
	PortalURL string `yaml:"portal_url" is:"url"` // none: that of AMS
	Users     string `yaml:"users" default:"Manajemen Pengguna"`
	Search    string `yaml:"search" default:"E-mail"`
	Details   string `yaml:"details" default:"Detail"`
	Reset     string `yaml:"reset" default:"Reset Passphrase"`
}

// ESign is the agency's own eSign gateway, which tells a user's status.
type ESign struct {
	URL       string        `yaml:"url" required:"true" is:"url"`
	User      string        `yaml:"user" required:"true"`
	Password  Secret        `yaml:"password" required:"true"`
	Version   string        `yaml:"version" default:"v2" oneof:"v1 v2"`
	PlainHTTP bool          `yaml:"plain_http" default:"false"`
	Timeout   time.Duration `yaml:"timeout" default:"20s" min:"1s" max:"2m"`

	VerifyTimeout time.Duration `yaml:"verify_timeout" default:"90s" min:"1s" max:"10m"` // of a PDF's signature
}

// AMS is the portal where resets are made, with BeID where verifiers sign in.
type AMS struct {
	BeIDURL    string        `yaml:"beid_url" required:"true" is:"url"`
	PortalURL  string        `yaml:"portal_url" required:"true" is:"url"`
	OperatorIP string        `yaml:"operator_ip" required:"true" is:"ip"`
	ClientID   string        `yaml:"client_id" default:"ams"`
	Timeout    time.Duration `yaml:"timeout" default:"30s" min:"1s" max:"5m"`
	// ResetTimeout is how long the answer to a reset is waited for; what has none by then is uncertain.
	ResetTimeout time.Duration `yaml:"reset_timeout" default:"1m" min:"5s" max:"5m"`
	Gap          time.Duration `yaml:"gap" default:"30s" min:"0s" max:"1h"`
	Windows      []Window      `yaml:"windows"` // when resets are made, in the agency's zone; none: always

	// The portal's paths are undocumented and free to change (contracts/bsre.md).
	TokenPath   string `yaml:"token_path" default:"/realms/external-service/protocol/openid-connect/token" is:"urlpath"`
	FindPath    string `yaml:"find_path" default:"/api/rest/manage/user/list" is:"urlpath"`
	DetailsPath string `yaml:"details_path" default:"/api/rest/manage/user/details/{uid}" is:"urlpath"`
	PhonePath   string `yaml:"phone_path" default:"/api/rest/manage/user/verify/phone" is:"urlpath"`
	ResetPath   string `yaml:"reset_path" default:"/api/rest/manage/cert/passphrase/reset/{uid}/{serialNumber}" is:"urlpath"`
}

// SSO is the agency's own single sign-on for the desk (OpenID Connect Core 1.0), beside the link by mail.
type SSO struct {
	Issuer       string `yaml:"issuer" required:"true" is:"url"`
	ClientID     string `yaml:"client_id" required:"true"`
	ClientSecret Secret `yaml:"client_secret" required:"true"`
	Name         string `yaml:"name"`                   // on the button; none: "Masuk lewat SSO" and the agency's name
	Strong       bool   `yaml:"strong" default:"false"` // it asks for a second factor, so no passkey is asked for
}

// Schedules say when reports go out, in the agency's zone (schedule.go). "off" turns one off.
type Schedules struct {
	DigestHead       Schedule `yaml:"digest_head" default:"close-15m"`
	DigestHeadWeekly Schedule `yaml:"digest_head_weekly" default:"0 15 * * 5"`
	DigestOffice     Schedule `yaml:"digest_office" default:"0 9 * * 1"`
	DigestVerifier   Schedule `yaml:"digest_verifier" default:"open+15m"`
	Pack             Schedule `yaml:"pack" default:"0 9 3 * *"`
}

// Person is a member of the agency's staff.
type Person struct {
	ID       string   `yaml:"id" required:"true" is:"key"`
	Name     string   `yaml:"name" required:"true"`
	NIP      string   `yaml:"nip" is:"nip"`
	Position string   `yaml:"position" required:"true"`
	Aliases  []string `yaml:"aliases"`
	Email    string   `yaml:"email" required:"true" is:"email"`
	Phone    string   `yaml:"phone" is:"phone"`
	Roles    []string `yaml:"roles" required:"true" oneof:"head division section verifier operator auditor"`
	Leave    []Leave  `yaml:"leave"`
	// Reminders are those of their own work (agency.Reminders).
	Reminders string `yaml:"reminders" default:"all" oneof:"all end off"`
}

// Leave is a span of whole days, both inclusive, in which a deputy acts.
type Leave struct {
	Deputy string `yaml:"deputy" required:"true"`
	First  Date   `yaml:"first_day" required:"true"`
	Last   Date   `yaml:"last_day" required:"true"`
}

// Office is an OPD or UPT that may send letters.
type Office struct {
	ID        string     `yaml:"id" required:"true" is:"key"`
	Name      string     `yaml:"name" required:"true"`
	Aliases   []string   `yaml:"aliases"`
	Addresses []string   `yaml:"addresses" is:"email"`
	Head      *Official  `yaml:"head" required:"true"`
	Acting    []Official `yaml:"acting"`
	Officials []Official `yaml:"officials"`
}

// Official is a holder of a certificate.
type Official struct {
	Name     string `yaml:"name" required:"true"`
	NIP      string `yaml:"nip" is:"nip"`
	NIK      string `yaml:"nik" is:"nik"`
	Position string `yaml:"position" required:"true"`
	Email    string `yaml:"email" required:"true" is:"email"`
	Phone    string `yaml:"phone" is:"phone"`
}

// Hours are the open hours of each weekday, usually or in a span of days (Ramadan). A weekday that is not there is closed.
type Hours struct {
	Name      string    `yaml:"name" required:"true"`
	First     Date      `yaml:"first_day"`
	Last      Date      `yaml:"last_day"`
	Monday    Intervals `yaml:"monday"`
	Tuesday   Intervals `yaml:"tuesday"`
	Wednesday Intervals `yaml:"wednesday"`
	Thursday  Intervals `yaml:"thursday"`
	Friday    Intervals `yaml:"friday"`
	Saturday  Intervals `yaml:"saturday"`
	Sunday    Intervals `yaml:"sunday"`
}

// Load reads and checks the file at path, with the process's environment. The error is Problems when the file could be read.
func Load(path string) (*Config, error) { return load(path, newReader(path, os.Getenv)) }

// LoadPublic is Load for commands that call nobody: secrets stay where they are, and needn't be there.
func LoadPublic(path string) (*Config, error) {
	r := newReader(path, os.Getenv)
	r.public = true
	return load(path, r)
}

func load(path string, r *reader) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %w", path, err)
	}
	return r.parse(data)
}

// Parse checks a configuration. Files that it names are looked for beside path; env answers the keys that end in _env. The error is
// Problems: all that is wrong, in the order of the file.
func Parse(data []byte, path string, env func(string) string) (*Config, error) {
	return newReader(path, env).parse(data)
}

func (r *reader) parse(data []byte) (*Config, error) {
	c := &Config{Path: r.file}
	if r.read(data, c) {
		c.complete(r)
		c.verify(r)
	}
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	c.Warnings = r.warnings
	return c, nil
}

// Agency returns the agency with that key.
func (c *Config) Agency(key string) (*agency.Agency, bool) {
	if t, ok := c.Tenant(key); ok {
		return t.Agency, true
	}
	return nil, false
}

// Agencies lists the agencies in the order of the file.
func (c *Config) Agencies() []*agency.Agency {
	out := make([]*agency.Agency, len(c.Tenants))
	for i := range c.Tenants {
		out[i] = c.Tenants[i].Agency
	}
	return out
}

// Tenant returns an agency's part of the file.
func (c *Config) Tenant(key string) (*Tenant, bool) {
	for i := range c.Tenants {
		if c.Tenants[i].Key == key {
			return &c.Tenants[i], true
		}
	}
	return nil, false
}

// readFile reads a file that the operator named, up to maxFile bytes. Errors don't repeat the name: a secret written where its file's name
// belongs would end in a log.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d MB", maxFile>>20)
	}
	return data, nil
}

func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

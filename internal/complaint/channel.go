package complaint

// Channel is the way by which a complaint came (service.md, "Complaints").
type Channel string

// The ten channels of the service standard.
const (
	InPerson  Channel = "in-person"
	Box       Channel = "box" // a letter in the complaint box
	Srikandi  Channel = "srikandi"
	WhatsApp  Channel = "whatsapp"
	Telephone Channel = "telephone"
	Mail      Channel = "mail"
	Lapor     Channel = "sp4n-lapor"
	Instagram Channel = "instagram"
	Twitter   Channel = "twitter"
	Facebook  Channel = "facebook"
)

// Channels lists all of them, those that people enter most often first.
var Channels = []Channel{WhatsApp, Telephone, InPerson, Mail, Srikandi, Lapor, Box, Instagram, Twitter, Facebook}

var channelTitles = map[Channel]string{
	InPerson: "datang langsung", Box: "kotak pengaduan", Srikandi: "Srikandi", WhatsApp: "WhatsApp", Telephone: "telepon", Mail: "surel",
	Lapor: "SP4N-LAPOR", Instagram: "Instagram", Twitter: "Twitter", Facebook: "Facebook",
}

// Valid reports whether c is one of Channels.
func (c Channel) Valid() bool { return channelTitles[c] != "" }

// Title is the channel's Indonesian name, as it stands behind "melalui".
func (c Channel) Title() string {
	if t := channelTitles[c]; t != "" {
		return t
	}
	return string(c)
}

// Automatic reports whether the software itself reads from the channel and answers through it. On the others a person enters the complaint
// and tells the answer.
func (c Channel) Automatic() bool { return c == Mail || c == Srikandi }

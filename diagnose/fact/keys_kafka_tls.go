package fact

import "time"

// What listeners show of themselves before a client has said who it is.
var (
	Certificates = State[[]ListenerCertificate]("kafka.listener.certificates", Broker, "certificates that the broker's TLS listeners show in a handshake, valid or not").keeping(4).lasting(15 * time.Minute)
)

// ListenerCertificate is what one TLS listener shows. Names are as X.509 has
// them: "CN=b1,O=Example".
type ListenerCertificate struct {
	Address  string `json:"address"`
	Listener string `json:"listener,omitempty"` // "SSL", where the broker's own configuration could be read

	Subject   string    `json:"subject,omitempty"`
	Issuer    string    `json:"issuer,omitempty"`
	Names     []string  `json:"names,omitempty"` // hosts and addresses that it is for
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	ChainEnds time.Time `json:"chain_ends,omitzero"` // the earliest end of it and of the authorities' certificates that were sent with it

	Untold string `json:"untold,omitempty"` // why there is none; the fields above are empty then
}

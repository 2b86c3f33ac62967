package history

import "strings"

// hidden stands for a value that does not leave the decoder.
const hidden = "(hidden)"

// secretParts are parts of names of settings whose values are secrets, or may
// hold some. More is hidden than must be: what is hidden is still told as changed.
var secretParts = []string{"password", "passwd", "passphrase", "jaas", "secret", "credential", "token", "keystore.key", "private.key", "privatekey", "certificate.chain", "apikey", "api.key", "access.key", "encoder", ".headers", "assertion"}

// secret says whether the value of a setting is not to be shown.
func secret(setting string) bool {
	s := strings.ToLower(setting)
	for _, part := range secretParts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

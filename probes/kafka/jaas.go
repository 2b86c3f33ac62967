package kafka

import (
	"errors"
	"fmt"
	"strings"
)

// login is one entry of a JAAS configuration.
type login struct {
	module  string // class of the login module
	options map[string]string
}

// parseJAAS reads the value of sasl.jaas.config:
//
//	org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="…";
//
// Errors say at which byte and never repeat what stands there: it may be the
// password.
func parseJAAS(text string) (login, error) {
	words, err := jaasWords(text)
	if err != nil {
		return login{}, err
	}
	if len(words) == 0 {
		return login{}, errors.New("empty, expected a login module, a flag and options")
	}
	if last := words[len(words)-1]; last.text != ";" || last.quoted {
		return login{}, errors.New("does not end in a semicolon")
	}
	words = words[:len(words)-1]
	if len(words) < 2 || words[0].quoted {
		return login{}, errors.New("expected a login module and a flag before the semicolon")
	}
	l := login{module: words[0].text, options: map[string]string{}}
	switch strings.ToLower(words[1].text) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return login{}, fmt.Errorf("byte %d: expected the flag required", words[1].at)
	}
	for rest := words[2:]; len(rest) > 0; rest = rest[3:] {
		if len(rest) < 3 || rest[0].quoted || rest[1].text != "=" || rest[1].quoted || rest[2].text == "=" && !rest[2].quoted {
			return login{}, fmt.Errorf("byte %d: expected an option of the form name=\"value\"", rest[0].at)
		}
		l.options[rest[0].text] = rest[2].text
	}
	return l, nil
}

type jaasWord struct {
	text   string
	at     int // offset in bytes
	quoted bool
}

// jaasWords splits at blanks, at = and at ; outside of quotes. A backslash in
// quotes takes the next character as it is.
func jaasWords(text string) ([]jaasWord, error) {
	var words []jaasWord
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			i++
		case c == '=' || c == ';':
			words = append(words, jaasWord{text: string(c), at: i})
			i++
		case c == '"' || c == '\'':
			value, length, ok := quoted(text[i:])
			if !ok {
				return nil, fmt.Errorf("byte %d: the quote is never closed", i)
			}
			words = append(words, jaasWord{value, i, true})
			i += length
		default:
			end := strings.IndexAny(text[i:], " \t\r\n\f=;\"'")
			if end < 0 {
				end = len(text) - i
			}
			words = append(words, jaasWord{text: text[i : i+end], at: i})
			i += end
		}
	}
	return words, nil
}

// quoted reads a quoted value at the beginning of the text and says how many
// bytes it takes, quotes included.
func quoted(text string) (value string, length int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == text[0]:
			return b.String(), i + 1, true
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return "", 0, false
}

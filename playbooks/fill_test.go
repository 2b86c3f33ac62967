package playbooks

import (
	"os/exec"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	book, err := Parse("x.md", []byte("# T\n\nIn $GROUP.\n\n## Fix\n\n- config: On $BROKER run `x --group $GROUP`, see $TOPIC.\n  ```sh\n  x --group $GROUP --id=$BROKER --topic $TOPIC $(pwd) $1\n  ```\n  - undo: `y $GROUP`\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := book.Fill(map[string]string{"BROKER": "3", "GROUP": "it's; rm -rf /"})
	step := got.Steps[0]
	for _, c := range []struct{ got, want string }{
		{got.Intro, "In it's; rm -rf /."},
		{step.Text, `On 3 run ` + "`" + `x --group 'it'\''s; rm -rf /'` + "`" + `, see <topic>.`},
		{step.Commands[0], `x --group 'it'\''s; rm -rf /' --id=3 --topic <topic> $(pwd) $1`},
		{step.Undo, "`" + `y 'it'\''s; rm -rf /'` + "`"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
	if book.Steps[0].Commands[0] == step.Commands[0] {
		t.Error("the original was filled too")
	}
}

// What a real shell makes of a quoted value is the value.
func TestShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("bash is needed to see what a shell reads:", err)
	}
	for _, value := range []string{
		"orders", "a b", "$HOME", "`id`", "it's", `back\slash`, `"`, "*", "~", "a\nb", "tab\there", "\x1b[31mred", "ünï", "a'\nb\\", "<broker>", "!!", "#x", "a=b", "{a,b}",
	} {
		out, err := exec.Command(bash, "--norc", "-c", "printf %s "+shell(value)).Output()
		if err != nil {
			t.Errorf("%q: %v", value, err)
		}
		if string(out) != value {
			t.Errorf("%q became %q by way of %s", value, out, shell(value))
		}
		if strings.ContainsFunc(shell(value), isControl) {
			t.Errorf("%q leaves a control character in %q", value, shell(value))
		}
	}
}

func TestPlainDropsControlCharacters(t *testing.T) {
	if got := plain("a\x1b[2J\tb\u009bc"); got != "a[2Jbc" {
		t.Errorf("got %q", got)
	}
}

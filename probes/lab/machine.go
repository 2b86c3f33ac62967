package lab

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine is what an exam runs on, for who compares its seconds: "2 cores,
// 8 GiB, Linux 6.1.0". What the kernel does not tell is left out.
func Machine() string {
	text := fmt.Sprintf("%d cores", runtime.NumCPU())
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		text += fmt.Sprintf(", %.0f GiB", float64(info.Totalram)*float64(info.Unit)/(1<<30))
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		release, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-") // what follows is whose build it is
		text += ", " + unix.ByteSliceToString(name.Sysname[:]) + " " + release
	}
	return text
}

package tui

import "syscall"

const (
	hangUp    = syscall.SIGHUP
	terminate = syscall.SIGTERM
)

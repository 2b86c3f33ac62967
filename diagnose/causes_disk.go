package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes that end with a log dir offline, and are not the dir's own.

var inodeExhaustion = &Cause{
	ID: "inode-exhaustion", Title: "out of inodes", Fault: diskFailure, Severity: Critical, On: fact.LogDir, Prior: 0.003,
	Doc: "The file system has bytes and no inodes left: each replica takes six files. \"No space left on device\" stands in the log, and df shows room; df -i tells.",
	Signs: []Link{
		{Sign: inodesShort, Strength: Always, Decisive: true, Must: true},
		{Sign: noSpaceLogged, Strength: Sometimes},
	},
	RulesOut: []*Sign{dirFull},
	Leads:    []*Cause{logDirOffline},
	Weigh: func(yes []SignState) Severity {
		if find(yes, noSpaceLogged) != nil {
			return Critical
		}
		return Major
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("the file system of log dir %s runs out of inodes: %s", s.Name, gist(yes, inodesShort, noSpaceLogged))
	},
}

var readOnlyFileSystem = &Cause{
	ID: "read-only-filesystem", Title: "file system is read-only", Fault: diskFailure, Severity: Critical, On: fact.LogDir, Prior: 0.004,
	Doc: "The file system under a log dir takes no writes: mounted read-only, or the kernel gave it up after an error. The broker takes the dir offline at its next write.",
	Signs: []Link{
		{Sign: readOnlyMount, Strength: Always, Decisive: true, Must: true},
		{Sign: readOnlyLogged, Strength: Often, Decisive: true},
		{Sign: dirReportedOffline, Strength: Often},
		{Sign: dirFailedLogged, Strength: Often},
	},
	Leads: []*Cause{logDirOffline},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("log dir %s cannot be written: %s", s.Name, gist(yes, readOnlyMount, readOnlyLogged))
	},
}

var fdExhaustion = &Cause{
	ID: "fd-exhaustion", Title: "out of file descriptors", Fault: brokerDown, Severity: Critical, On: fact.Process, Prior: 0.002,
	Doc: "The broker's process has reached its limit of open files. New connections are accepted by the kernel and never answered while old ones work, so that the broker stays live; new replicas cannot be created; at the next roll the log dir goes offline.",
	Signs: []Link{
		{Sign: fdsShort, Strength: Always, Decisive: true, Must: true},
		{Sign: acceptsSilently, Strength: Often, Follows: true},
	},
	Leads: []*Cause{logDirOffline, brokerCrashed},
	Weigh: func(yes []SignState) Severity {
		if find(yes, acceptsSilently) != nil {
			return Critical
		}
		return Major
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s runs out of file descriptors: %s", s.Name, gist(yes, fdsShort, acceptsSilently))
	},
}

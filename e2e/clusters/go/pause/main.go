// pause holds a pod's namespaces open until the pod goes.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// Children that nobody waits for are reaped by the kernel itself.
	signal.Ignore(syscall.SIGCHLD)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
}

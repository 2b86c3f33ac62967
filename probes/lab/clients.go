package lab

// StopClients stops producers and consumers, newest first.
func (c *Cluster) StopClients() {
	c.mu.Lock()
	clients := c.clients
	c.clients = nil
	c.mu.Unlock()
	for i := len(clients) - 1; i >= 0; i-- {
		clients[i].Stop()
	}
}

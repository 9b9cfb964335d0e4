// Package clients runs programs of several languages against real agents, which are killed. It
// has only tests.
package clients

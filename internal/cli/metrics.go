package cli

import (
	"context"
	"net/http"
	"time"

	"parley"
)

// serveMetrics answers Prometheus. It has no limits of its own but time: who may reach it is for the address to say.
func (s *serving) serveMetrics(ctx context.Context) (stop func(), err error) {
	if s.metricsAt == "" {
		return func() {}, nil
	}
	if isDatagram(s.metricsAt) {
		return nil, usagef("--metrics %s: metrics are served over streams", s.metricsAt)
	}
	ln, err := parley.Listen(ctx, s.metricsAt)
	if err != nil {
		return nil, err
	}
	routes := http.NewServeMux()
	routes.Handle("GET /metrics", s.meter)
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	go func() { _ = server.Serve(ln) }() // it ends with Close
	s.u.note("metrics at %smetrics", urlOf(ln.Address()))
	return func() { server.Close() }, nil
}

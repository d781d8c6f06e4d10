package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics shows. Labels are routes and states, never people.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func (a *App) newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "audiomicro_request_seconds", Help: "Time to answer a request, by route and status.", Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
	}, []string{"route", "status"})
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &counts{app: a})
	return m
}

func (m *metrics) observe(pattern string, status int, took time.Duration) {
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// counts reads gauges from the database when Prometheus asks.
type counts struct{ app *App }

var (
	jobsDesc  = prometheus.NewDesc("audiomicro_jobs", "Jobs by state.", []string{"state"}, nil)
	ageDesc   = prometheus.NewDesc("audiomicro_jobs_oldest_seconds", "Age of the oldest job that waits.", nil, nil)
	mailDesc  = prometheus.NewDesc("audiomicro_mail", "Outgoing mail by state.", []string{"state"}, nil)
	indexDesc = prometheus.NewDesc("audiomicro_index_repaired_total", "Recordings that the hourly comparison found wrong in this node's search index.", nil, nil)
	queueDesc = prometheus.NewDesc("audiomicro_reviews_open", "Recordings that wait for review.", nil, nil)
)

// Describe names the gauges.
func (c *counts) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsDesc, ageDesc, mailDesc, queueDesc, indexDesc} {
		ch <- d
	}
}

// Collect reads the gauges; one that cannot be read is reported as such by Prometheus.
func (c *counts) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := timeout(5 * time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if s, err := c.app.Jobs.Stats(ctx); err == nil {
		gauge(jobsDesc, float64(s.Queued), "queued")
		gauge(jobsDesc, float64(s.Running), "running")
		gauge(jobsDesc, float64(s.Retrying), "retrying")
		gauge(jobsDesc, float64(s.Dead), "dead")
		gauge(ageDesc, s.Oldest.Seconds())
	} else {
		ch <- prometheus.NewInvalidMetric(jobsDesc, err)
	}
	if m, err := c.app.Mail.Counts(ctx); err == nil {
		gauge(mailDesc, float64(m.Queued), "queued")
		gauge(mailDesc, float64(m.Failed), "failed")
	} else {
		ch <- prometheus.NewInvalidMetric(mailDesc, err)
	}
	ch <- prometheus.MustNewConstMetric(indexDesc, prometheus.CounterValue, float64(c.app.Search.Repaired()))
	if n, err := c.app.Moderation.Waiting(ctx); err == nil {
		gauge(queueDesc, float64(n))
	} else {
		ch <- prometheus.NewInvalidMetric(queueDesc, err)
	}
}

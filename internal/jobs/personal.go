package jobs

import "audiomicro/internal/personal"

// Personal declares the tables of this package. River's own are in Tables.
func Personal() personal.Declaration {
	return personal.Declaration{Domain: "jobs", Tables: []personal.Table{
		{
			Name: "node_lease", NotPersonal: true, Why: "tells which of the site's machines run, so that the jobs of one that died are taken over",
			Cols: personal.Plain("id", "node", "beat", "beat_at"),
		},
		{
			Name: "job_schedule", NotPersonal: true, Why: "when each recurring job is due next",
			Cols: personal.Plain("name", "next_at"),
		},
	}}
}

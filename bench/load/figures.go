package main

import (
	"slices"

	"golang.org/x/sys/unix"
)

// figures is the JSON that is printed. Latencies are in microseconds.
type figures struct {
	Calls       int            `json:"calls"` // answered as they should be, in the time that counts
	WarmUpCalls int            `json:"warm_up_calls"`
	Errors      map[string]int `json:"errors"` // by what went wrong; those of the warm-up too
	Seconds     float64        `json:"seconds"`
	Rate        float64        `json:"rate"` // calls in a second
	WantedRate  float64        `json:"wanted_rate"`
	Latency     latency        `json:"latency"`
	LateP99     float64        `json:"late_p99"` // how long after they were due calls were started
	CPUSeconds  float64        `json:"cpu_seconds"`
}

type latency struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// observations are what a run gathers; all times in ns.
type observations struct {
	from        int64 // when what counts begins
	last        int64
	latencies   []int64
	lateness    []int64
	warmUpCalls int
	errors      map[string]int
}

func newObservations() *observations {
	return &observations{
		latencies: make([]int64, 0, 1<<20), lateness: make([]int64, 0, 1<<20), errors: map[string]int{},
	}
}

func (o *observations) late(by int64) {
	o.lateness = append(o.lateness, by)
}

func (o *observations) fail(reason string, count int) {
	if count > 0 {
		o.errors[reason] += count
	}
}

func (o *observations) answer(due, time int64, failure string) {
	switch {
	case failure != "":
		o.errors[failure]++
	case due < o.from:
		o.warmUpCalls++
	default:
		o.latencies = append(o.latencies, time-due)
		o.last = time
	}
}

func (o *observations) figures(wantedRate float64) figures {
	seconds := float64(o.last-o.from) / 1e9
	found := figures{
		Calls: len(o.latencies), WarmUpCalls: o.warmUpCalls, Errors: o.errors, WantedRate: wantedRate,
		LateP99: percentile(sorted(o.lateness), 990), CPUSeconds: cpuSeconds(),
	}
	if found.Calls > 0 && seconds > 0 {
		found.Seconds, found.Rate = seconds, float64(found.Calls)/seconds
	}
	ordered := sorted(o.latencies)
	found.Latency = latency{
		percentile(ordered, 500), percentile(ordered, 950), percentile(ordered, 990), percentile(ordered, 999),
		percentile(ordered, 1000),
	}
	return found
}

func sorted(values []int64) []int64 {
	slices.Sort(values)
	return values
}

// percentile returns the value at rank ceil(n · thousandths / 1000) of ordered ns, in µs; 0 where there are none.
func percentile(ordered []int64, thousandths int) float64 {
	if len(ordered) == 0 {
		return 0
	}
	rank := (len(ordered)*thousandths + 999) / 1000
	return float64(ordered[max(rank, 1)-1]) / 1e3
}

// cpuSeconds is what this process has used.
func cpuSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

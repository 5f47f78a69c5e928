package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lead     = 20 * time.Millisecond // between the last connection and the first call
	longWait = 100 * time.Millisecond
)

// sender is one run: it sends calls on its connections as they become due.
type sender struct {
	wanted      options
	messages    [][]byte
	connections []*connection
	turn        int           // the connection that is tried first
	sent        int           // calls, those of the warm-up included
	total       int           // calls to be sent at most; -1 has no bound
	interval    float64       // ns between two calls; 0 in the closed loop
	start       int64         // ns; when the warm-up begins
	counted     int64         // ns; when what counts begins
	end         int64         // ns; when no call is started any more
	found       *observations // what came of it
}

var began = time.Now()

// now is a monotonic time in ns, read without a system call.
func now() int64 {
	return int64(time.Since(began))
}

// send connects, sends for as long as it shall, and returns what came of it.
func send(wanted options, messages [][]byte) (figures, error) {
	s := &sender{wanted: wanted, messages: messages, total: -1, found: newObservations()}
	for range wanted.connections {
		c, err := dial(wanted, s.answered)
		if err != nil {
			return figures{}, err
		}
		defer func() { _ = unix.Close(c.fd) }()
		s.connections = append(s.connections, c)
	}
	if wanted.once {
		s.total = len(messages)
	}
	if wanted.rate > 0 {
		s.interval = 1e9 / wanted.rate
	}
	s.start = now() + int64(lead)
	s.counted = s.start + int64(wanted.warmUp)
	s.end = s.counted + int64(wanted.duration)
	s.found.from = s.counted
	if err := s.loop(); err != nil {
		return figures{}, err
	}
	return s.found.figures(wanted.rate), nil
}

// loop goes on until everything is answered, or the time for answers is over.
func (s *sender) loop() error {
	polled := make([]unix.PollFd, len(s.connections))
	for {
		next, err := s.startDue(now())
		if err != nil {
			return err
		}
		for index, c := range s.connections {
			if err := c.flush(); err != nil {
				return err
			}
			polled[index] = unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN}
			if len(c.out) > 0 {
				polled[index].Events |= unix.POLLOUT
			}
		}
		if next < 0 && s.inFlight() == 0 {
			return nil
		}
		if time := now(); time > s.end+int64(s.wanted.drain) {
			s.found.fail("unanswered", s.inFlight())
			return nil
		} else if next < 0 || next-time > int64(longWait) {
			next = time + int64(longWait)
		}
		timeout := unix.NsecToTimespec(max(next-now(), 0))
		if _, err := unix.Ppoll(polled, &timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		for index, c := range s.connections {
			if polled[index].Revents&^unix.POLLOUT != 0 {
				if err := c.read(); err != nil {
					return err
				}
			}
		}
	}
}

// startDue starts every call that is due and for which a connection has room. It returns when the next one is due, in
// ns; long after where there is no room, and -1 where there will be none.
func (s *sender) startDue(time int64) (int64, error) {
	for {
		due := s.start
		if s.interval > 0 {
			due += int64(float64(s.sent) * s.interval)
		} else if time > due {
			due = time
		}
		if due >= s.end || s.sent == s.total {
			return -1, nil
		}
		if due > time {
			return due, nil
		}
		message := s.messages[s.sent%len(s.messages)]
		c := s.free(message)
		if c == nil {
			return time + int64(longWait), nil
		}
		if err := c.send(message, due); err != nil {
			return 0, err
		}
		s.found.late(time - due)
		s.sent++
	}
}

// free returns the next connection in turn that takes a message, or nil.
func (s *sender) free(message []byte) *connection {
	for range s.connections {
		s.turn = (s.turn + 1) % len(s.connections)
		if c := s.connections[s.turn]; c.takes(message) {
			return c
		}
	}
	return nil
}

func (s *sender) inFlight() int {
	count := 0
	for _, c := range s.connections {
		count += len(c.calls)
	}
	return count
}

func (s *sender) answered(ended *call, failure string) {
	s.found.answer(ended.due, now(), failure)
}

// Load sends gRPC calls over HTTP/2 and tells how fast they were answered. Linux only.
//
// It does no work with protobuf: messages are made before and sent as they are, headers are encoded once for each
// connection, and of an answer only the status and its first bytes are looked at. One thread does everything, waiting
// in ppoll, so that on a core shared with others it takes as little as can be: about 5 µs for a call.
//
//	closed loop (-rate 0): each of connections × streams sends its next call when the last is answered
//	open loop (-rate N):   calls are due at even distances, whatever the answers do, and a latency counts from the
//	                       moment that the call was due, so that a stall is seen by every call that was due in it
package main

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

const memoryLimit = 2 << 30 // bytes; below it nothing is collected, since a collection would show in latencies

// options are what the command line says.
type options struct {
	address     string
	method      string
	connections int
	streams     int           // in flight on each connection, at most
	rate        float64       // calls in a second; 0 is the closed loop
	duration    time.Duration // after the warm-up
	warmUp      time.Duration // at the same pace before, not counted
	once        bool          // each message is sent once at most: the run ends when there are no more
	expect      []byte        // what each answer must begin with
	drain       time.Duration // for what has no answer yet when the time is over
}

func main() {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
	// Timers of a thread may be late by 50 µs by default, which would be added to every latency of the open loop.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	var wanted options
	flag.StringVar(&wanted.address, "address", "", "host:port")
	flag.StringVar(&wanted.method, "method", "", "/package.Service/Method")
	file := flag.String("messages", "", "file of messages, each with gRPC's five bytes before it; sent in turn")
	expect := flag.String("expect", "", "what each answer's message must begin with, in hexadecimal")
	flag.IntVar(&wanted.connections, "connections", 4, "HTTP/2 connections")
	flag.IntVar(&wanted.streams, "streams", 16, "calls in flight on each connection, at most")
	flag.Float64Var(&wanted.rate, "rate", 0, "calls in a second; 0: as fast as answers come")
	flag.DurationVar(&wanted.duration, "duration", 3*time.Second, "how long")
	flag.DurationVar(&wanted.warmUp, "warmup", 0, "at the same pace before, not counted")
	flag.DurationVar(&wanted.drain, "drain", 10*time.Second, "wait for answers after the end, at most")
	flag.BoolVar(&wanted.once, "once", false, "send no message twice; end when there are no more")
	flag.Parse()
	var err error
	if wanted.expect, err = hex.DecodeString(*expect); err != nil {
		return err
	}
	if len(wanted.expect) > maxExpected {
		return fmt.Errorf("-expect takes %d bytes at most", maxExpected)
	}
	messages, err := readMessages(*file)
	if err != nil {
		return err
	}
	found, err := send(wanted, messages)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// readMessages returns the messages of a file, each with the five bytes that gRPC puts before it.
func readMessages(file string) ([][]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var messages [][]byte
	for len(data) > 0 {
		if len(data) < grpcPrefix {
			return nil, fmt.Errorf("%s ends within a message", file)
		}
		end := grpcPrefix + int(be32(data[1:]))
		if end > len(data) {
			return nil, fmt.Errorf("%s ends within a message", file)
		}
		if end > maxFrame {
			return nil, fmt.Errorf("%s has a message of %d bytes; %d fit into a frame", file, end, maxFrame)
		}
		messages = append(messages, data[:end])
		data = data[end:]
	}
	if len(messages) == 0 {
		return nil, fmt.Errorf("%s holds no message", file)
	}
	return messages, nil
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/net/http2/hpack"
	"golang.org/x/sys/unix"
)

const (
	maxExpected   = 64 // bytes of an answer that are compared
	readBuffer    = 1 << 18
	grpcTimeout   = "10S" // Envoy sends one with each call, and answerers keep a timer for it
	statusUnknown = -1
)

// call is one that has no answer yet.
type call struct {
	due    int64  // ns; from when its latency counts
	head   []byte // how the answer begins, gRPC's five bytes included
	status int    // grpc-status; statusUnknown until trailers say
	http   string // :status
}

// connection is one HTTP/2 connection. Its socket never blocks.
type connection struct {
	fd           int
	wanted       options
	in           []byte // read, and not a whole frame yet
	out          []byte // to be written
	nextStream   uint32
	limit        int   // streams at once: ours, or the answerer's where that is less
	window       int64 // bytes that we may send
	streamWindow int64 // bytes that we may send on a new stream
	received     uint32
	decoder      *hpack.Decoder
	current      *call // whose headers are decoded
	headers      []byte
	again        []byte // the same headers once the answerer has them in its table
	calls        map[uint32]*call
	spare        []*call
	answered     func(*call, string) // with why it counts as failed, or ""
}

// dial connects, and waits for the answerer's settings.
func dial(wanted options, answered func(*call, string)) (*connection, error) {
	address, err := net.ResolveTCPAddr("tcp4", wanted.address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &connection{
		fd: fd, wanted: wanted, nextStream: 1, limit: wanted.streams, window: defaultWindow,
		streamWindow: defaultWindow, calls: map[uint32]*call{}, answered: answered,
	}
	target := &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())}
	if err := unix.Connect(fd, target); err != nil {
		return nil, fmt.Errorf("%s: %w", wanted.address, err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	c.decoder = hpack.NewDecoder(4096, c.field)
	settings := appendSetting(appendSetting(nil, settingPush, 0), settingInitialWindow, ownWindow)
	c.out = appendFrame([]byte(preface), frameSettings, 0, 0, settings)
	c.out = appendWindowUpdate(c.out, 0, ownWindow)
	if err := c.flush(); err != nil {
		return nil, err
	}
	for c.headers == nil { // still blocking; settings are the first frame
		if err := c.read(); err != nil {
			return nil, err
		}
	}
	return c, unix.SetNonblock(fd, true)
}

// encodeHeaders makes the header block of the first call, and that of all others: with each field in the answerer's
// table, as a client that lives for long has it.
func (c *connection) encodeHeaders(tableSize uint32) error {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSizeLimit(tableSize)
	fields := [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", c.wanted.method}, {":authority", "server"},
		{"te", "trailers"}, {"grpc-timeout", grpcTimeout}, {"content-type", "application/grpc"},
		{"x-envoy-internal", "true"}, {"x-forwarded-for", "127.0.0.1"},
	}
	for _, kept := range []*[]byte{&c.headers, &c.again} {
		block.Reset()
		for _, field := range fields {
			if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
				return err
			}
		}
		*kept = bytes.Clone(block.Bytes())
	}
	return nil
}

// takes tells whether a call with such a message can be sent now.
func (c *connection) takes(message []byte) bool {
	return len(c.calls) < c.limit && int64(len(message)) <= c.window
}

// send puts a call into the buffer; flush writes it.
func (c *connection) send(message []byte, due int64) error {
	if int64(len(message)) > c.streamWindow {
		return fmt.Errorf("the answerer takes %d bytes of a call at first, a message has %d", c.streamWindow, len(message))
	}
	if c.nextStream > 1<<31-1 {
		return errors.New("the connection has no numbers left for calls")
	}
	var started *call
	if last := len(c.spare) - 1; last >= 0 {
		started, c.spare = c.spare[last], c.spare[:last]
	} else {
		started = &call{head: make([]byte, 0, grpcPrefix+maxExpected)}
	}
	started.due, started.head, started.status, started.http = due, started.head[:0], statusUnknown, ""
	c.calls[c.nextStream] = started
	c.out = appendFrame(c.out, frameHeaders, flagEndHeaders, c.nextStream, c.headers)
	c.out = appendFrame(c.out, frameData, flagEndStream, c.nextStream, message)
	c.headers = c.again
	c.window -= int64(len(message))
	c.nextStream += 2
	return nil
}

// flush writes what the socket takes.
func (c *connection) flush() error {
	for len(c.out) > 0 {
		written, err := unix.Write(c.fd, c.out)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("writing: %w", err)
		}
		c.out = c.out[:copy(c.out, c.out[written:])]
	}
	return nil
}

// read takes what the socket holds, and goes through the frames in it.
func (c *connection) read() error {
	have := len(c.in)
	if cap(c.in)-have < maxFrame+frameHeader {
		c.in = append(make([]byte, 0, have+readBuffer), c.in...)
	}
	count, err := unix.Read(c.fd, c.in[have:cap(c.in)])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("reading: %w", err)
	case count == 0:
		return errors.New("the answerer closed the connection")
	}
	c.in = c.in[:have+count]
	rest := c.in
	for len(rest) >= frameHeader {
		length := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		if length > maxFrame {
			return fmt.Errorf("a frame of %d bytes", length)
		}
		if len(rest) < frameHeader+length {
			break
		}
		payload := rest[frameHeader : frameHeader+length]
		if err := c.frame(rest[3], rest[4], be32(rest[5:])&(1<<31-1), payload); err != nil {
			return err
		}
		rest = rest[frameHeader+length:]
	}
	c.in = c.in[:copy(c.in, rest)]
	return nil
}

// field takes one field of a header block.
func (c *connection) field(field hpack.HeaderField) {
	if c.current == nil {
		return
	}
	switch field.Name {
	case ":status":
		c.current.http = field.Value
	case "grpc-status":
		if status, err := strconv.Atoi(field.Value); err == nil {
			c.current.status = status
		}
	}
}

// finish tells what became of a call.
func (c *connection) finish(stream uint32, failure string) {
	ended := c.calls[stream]
	delete(c.calls, stream)
	switch {
	case failure != "":
	case ended.http != "200":
		failure = "HTTP status " + ended.http
	case ended.status != 0:
		failure = "grpc-status " + strconv.Itoa(ended.status)
	case len(ended.head) < grpcPrefix || !bytes.HasPrefix(ended.head[grpcPrefix:], c.wanted.expect):
		failure = "another answer"
	}
	c.answered(ended, failure)
	c.spare = append(c.spare, ended)
}

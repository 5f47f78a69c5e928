package main

import (
	"errors"
	"fmt"
)

// frame takes one frame of the answerer.
func (c *connection) frame(kind, flags byte, stream uint32, payload []byte) error {
	switch kind {
	case frameData:
		c.data(flags, stream, payload)
	case frameHeaders:
		return c.headerBlock(flags, stream, payload)
	case frameReset:
		if c.calls[stream] != nil {
			c.finish(stream, fmt.Sprintf("reset, code %d", be32(payload)))
		}
	case frameSettings:
		if flags&flagAck == 0 {
			return c.settings(payload)
		}
	case framePing:
		if flags&flagAck == 0 { // grpc-go measures the way with them
			c.out = appendFrame(c.out, framePing, flagAck, 0, payload)
		}
	case frameGoAway:
		return fmt.Errorf("the answerer goes away: code %d, %s", be32(payload[4:]), payload[8:])
	case frameWindowUpdate:
		if stream == 0 { // a message fits into the window that each call has from its beginning
			c.window += int64(be32(payload))
		}
	}
	return nil
}

// data keeps how an answer begins, and gives the bytes back to the answerer's window now and then.
func (c *connection) data(flags byte, stream uint32, payload []byte) {
	c.received += uint32(len(payload))
	if c.received > ownWindow/2 {
		c.out = appendWindowUpdate(c.out, 0, c.received)
		c.received = 0
	}
	of := c.calls[stream]
	if of == nil {
		return
	}
	if room := cap(of.head) - len(of.head); room > 0 {
		of.head = append(of.head, payload[:min(room, len(payload))]...)
	}
	if flags&flagEndStream != 0 {
		c.finish(stream, "") // without trailers, which fails
	}
}

// headerBlock decodes headers or trailers; even those of nobody, since they change the table.
func (c *connection) headerBlock(flags byte, stream uint32, payload []byte) error {
	if flags&flagEndHeaders == 0 || flags&(flagPadded|flagPriority) != 0 {
		return errors.New("headers are in several frames, padded or with a priority, which is not done here")
	}
	c.current = c.calls[stream]
	if _, err := c.decoder.Write(payload); err != nil {
		return fmt.Errorf("headers: %w", err)
	}
	if err := c.decoder.Close(); err != nil {
		return fmt.Errorf("headers: %w", err)
	}
	if c.current != nil && flags&flagEndStream != 0 {
		c.finish(stream, "")
	}
	return nil
}

// settings takes those of the answerer. The first ones tell how headers may be encoded.
func (c *connection) settings(payload []byte) error {
	tableSize := uint32(4096)
	eachSetting(payload, func(name uint16, value uint32) {
		switch name {
		case settingTableSize:
			tableSize = value
		case settingMaxStreams:
			c.limit = min(c.wanted.streams, int(value))
		case settingInitialWindow:
			c.streamWindow = int64(value)
		}
	})
	c.out = appendFrame(c.out, frameSettings, flagAck, 0, nil)
	if c.headers == nil {
		return c.encodeHeaders(tableSize)
	}
	return nil
}

package main

// Frames of HTTP/2 (RFC 9113, section 6), as far as a gRPC client without streaming needs them.

const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader = 9
	grpcPrefix  = 5       // compressed or not, and the message's length
	maxFrame    = 1 << 14 // bytes; what every peer takes

	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameGoAway       = 7
	frameWindowUpdate = 8

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTableSize     = 1
	settingPush          = 2
	settingMaxStreams    = 3
	settingInitialWindow = 4

	ownWindow     = 1 << 28 // bytes an answerer may send before we say more; Envoy's default too
	defaultWindow = 1<<16 - 1
)

func be32(data []byte) uint32 {
	return uint32(data[0])<<24 | uint32(data[1])<<16 | uint32(data[2])<<8 | uint32(data[3])
}

func appendBE32(out []byte, number uint32) []byte {
	return append(out, byte(number>>24), byte(number>>16), byte(number>>8), byte(number))
}

// appendFrame appends a frame with its payload.
func appendFrame(out []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	length := len(payload)
	out = append(out, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	out = appendBE32(out, stream)
	return append(out, payload...)
}

func appendWindowUpdate(out []byte, stream, bytes uint32) []byte {
	return appendFrame(out, frameWindowUpdate, 0, stream, appendBE32(nil, bytes))
}

func appendSetting(payload []byte, name uint16, value uint32) []byte {
	return appendBE32(append(payload, byte(name>>8), byte(name)), value)
}

// eachSetting goes through the payload of a SETTINGS frame.
func eachSetting(payload []byte, take func(name uint16, value uint32)) {
	for ; len(payload) >= 6; payload = payload[6:] {
		take(uint16(payload[0])<<8|uint16(payload[1]), be32(payload[2:]))
	}
}

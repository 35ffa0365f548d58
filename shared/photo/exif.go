package photo

import (
	"bytes"
	"encoding/binary"
)

const (
	orientationTag = 0x0112
	short          = 3
	upright        = 1
)

// orientation reads the orientation, 1 to 8, of an EXIF block: a TIFF file by TIFF 6.0, of which the first directory is
// looked at alone. What cannot be read is upright.
func orientation(block []byte) int {
	block = bytes.TrimPrefix(block, []byte(exifHeader)) // some writers repeat JPEG's header in other formats
	if len(block) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(block[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return upright
	}
	at := int64(order.Uint32(block[4:]))
	if at+2 > int64(len(block)) {
		return upright
	}
	count := int(order.Uint16(block[at:]))
	entries := block[at+2:]
	for ; count > 0 && len(entries) >= 12; count, entries = count-1, entries[12:] {
		if order.Uint16(entries) != orientationTag || order.Uint16(entries[2:]) != short {
			continue
		}
		if value := int(order.Uint16(entries[8:])); value >= 1 && value <= 8 {
			return value
		}
		return upright
	}
	return upright
}

// orientationBlock is the EXIF block that holds the orientation and nothing else.
func orientationBlock(orientation int) []byte {
	block := []byte("MM\x00*\x00\x00\x00\x08\x00\x01")
	block = binary.BigEndian.AppendUint16(block, orientationTag)
	block = binary.BigEndian.AppendUint16(block, short)
	block = binary.BigEndian.AppendUint32(block, 1)
	block = binary.BigEndian.AppendUint16(block, uint16(orientation)) //nolint:gosec // 1 to 8
	return append(block, 0, 0, 0, 0, 0, 0)
}

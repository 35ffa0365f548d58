package node

import "time"

// Spent returns how long each part of the system ran between two looks. part says to which a process belongs; its zero value is none
// that counts. A process that came meanwhile counts from its start; what one spent after the last look at it is lost.
func Spent[Part comparable](before, after []Process, part func(Process) Part) map[Part]time.Duration {
	had := make(map[int]time.Duration, len(before))
	for _, p := range before {
		had[p.PID] = p.CPU
	}
	var none Part
	spent := map[Part]time.Duration{}
	for _, p := range after {
		of := part(p)
		if of == none {
			continue
		}
		d := p.CPU - had[p.PID]
		if d < 0 {
			d = p.CPU // the number of a process that ended was given to another one
		}
		spent[of] += d
	}
	return spent
}

// Family returns whether the process is the one of that number or a child of it, such as those by which PostgreSQL serves its clients.
func (p Process) Family(root int) bool { return p.PID == root || p.Parent == root }

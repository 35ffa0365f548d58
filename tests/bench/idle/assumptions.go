package main

import (
	"fmt"
	"time"
)

// What is not measured here is assumed, and printed with the result. How long a function stays awake and when schedules fire is in its
// manifest; what wakes, stays and sessions cost is measured.
const (
	// Three nodes, each a Hetzner CX33 in Falkenstein: 4 shared cores, 8 GB, 80 GB; list price with an IPv4 address and without VAT, as of
	// the price list of April 2026.
	nodes         = 3
	coresANode    = 4
	memoryANode   = 8_000_000_000 // bytes
	eurosANode    = 6.49          // a month
	hoursAMonth   = 730.0
	daysAMonth    = hoursAMonth / 24
	eurosADollar  = 0.86 // about the rate of autumn 2026
	databaseUnits = 0.25 // the smallest compute of Neon, which is 1 GB of memory
	// Neon's Launch plan, by its price list of November 2026: an hour of one compute unit.
	dollarsAnHour = 0.106
	// Neon puts a compute to sleep that nobody has asked anything for so long; Launch does not let one choose.
	databaseStays = 5 * time.Minute

	// A guess: about every second day each of a home's two people looks at the app, and on one of three days somebody ticks something off,
	// which is taken to be part of a session.
	sessionsADay = 1.0 // of a household
	// A guess: a session's first and last call lie so far apart.
	sessionLasts = 90 * time.Second
	// Half of the homes have fewer, as in the loads of functions.
	tasksAHome = 28
)

// sessionsThatNeed is in which share of sessions somebody needs a function: the calls of a session are those of [resident.openApp], the
// shares below 1 are guesses.
var sessionsThatNeed = map[string]float64{
	"auth": 1, "residences": 1, "tasks": 1, "notifications": 1, // the event of a task that is ticked off
	"uploads": 0.15, "media": 0.05, "site": 0.02, "admin": 0.0005, "sweeper": 0,
}

// hours is how sessions spread over a day where most people live in few time zones: a guess, in parts of 100.
var hours = [24]float64{1, 0.5, 0.5, 0.5, 0.5, 1, 3, 6, 6, 5, 4, 4, 5, 5, 4, 4, 5, 6, 7.5, 9, 9, 7, 4.5, 2}

// populations are how many households there may be.
var populations = [...]int{10, 100, 1_000, 10_000}

// usual is the population of the goal.
const usual = 1_000

// simulated is how many days each population lives.
const simulated = 7

// assumed says all of that in words.
func assumed() string {
	return fmt.Sprintf("%d nodes of %d cores and %.0f GB at %.2f € a month each, all of them K3s servers: what the test cluster's one node does by itself each of\n"+
		"them does, with etcd in the place of kine; Traefik and standby run on each; Knative, Broker and Redis once.\n"+
		"PostgreSQL at Neon: %.2f units while awake, %.3f $ an hour and unit, asleep after %s; 1 $ is %.2f €. Not counted: storage, traffic, mail,\n"+
		"pushes, the bucket, and NATS JetStream, which in production keeps what the Broker measured here holds in memory.\n"+
		"%.1f session a day and household over %s, more of them in the evening: %d calls, the last of which ticks a task off, with its event and\n"+
		"mail; uploads in %.0f of 100, a photo in %.0f. A function that somebody needs has one pod: at these rates it never needs a second one.\n",
		nodes, coresANode, float64(memoryANode)/1e9, eurosANode, databaseUnits, dollarsAnHour, databaseStays, eurosADollar,
		sessionsADay, sessionLasts, callsASession, 100*sessionsThatNeed["uploads"], 100*sessionsThatNeed["media"])
}

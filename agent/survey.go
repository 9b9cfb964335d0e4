package agent

import (
	"context"
	"time"

	"github.com/venuekey/venuekey"
)

// survey.go owns looking at all sign-ins for a monitor, which may ask often.

const (
	// surveyShare bounds what that costs where there are very many: one part in surveyShare of the time.
	surveyShare = 20
	// longSurvey is how long a survey takes that is worth sharing; others are made for each who asks.
	longSurvey = 50 * time.Millisecond
)

// gathered is what is known of the sign-ins at a time. Nobody changes it.
type gathered struct {
	page  exposition
	dead  []venuekey.ID // who need their user
	until time.Time     // it is shared until then
}

// survey returns what is known now, or was a moment ago if it takes long to find out.
func (s *Server) survey(ctx context.Context) (*gathered, error) {
	select {
	case s.surveying <- struct{}{}:
		defer func() { <-s.surveying }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.surveyed != nil && time.Now().Before(s.surveyed.until) {
		return s.surveyed, nil
	}
	began := time.Now()
	g, err := s.gather(ctx)
	if err != nil {
		return nil, err
	}
	if took := time.Since(began); took >= longSurvey {
		g.until = time.Now().Add(surveyShare * took)
	}
	s.surveyed = g
	return g, nil
}

// gather reads the status of all sign-ins.
func (s *Server) gather(ctx context.Context) (*gathered, error) {
	g, now := new(gathered), time.Now()
	for status, err := range s.Keeper.Statuses(ctx) {
		if err != nil {
			return nil, err
		}
		g.take(status, now)
		if s.MetricIDs {
			g.page.one(status, now)
		}
	}
	return g, nil
}

func (g *gathered) take(status venuekey.Status, now time.Time) {
	page := &g.page
	if status.State == venuekey.StateNeedsSignIn {
		g.dead = append(g.dead, status.ID)
	}
	at := labels("venue", status.ID.Venue)
	page.sum("venuekey_signins", "gauge", "Sign-ins by state.", labels("venue", status.ID.Venue, "state", string(status.State)), 1)
	page.sum("venuekey_signins_failing", "gauge", "Sign-ins whose last renewal failed.", at, counted(status.Failures > 0))
	due := now.Sub(status.NextRefresh)
	page.sum("venuekey_signins_due", "gauge", "Sign-ins that are due to be renewed.", at, counted(!status.NextRefresh.IsZero() && due > 0))
	page.sum("venuekey_signins_late", "gauge", "Sign-ins that have been due for more than a minute.", at, counted(!status.NextRefresh.IsZero() && due > time.Minute))
	if !status.Issued.IsZero() {
		page.most("venuekey_token_age_seconds", "gauge", "Age of the oldest access token.", at, now.Sub(status.Issued).Seconds())
	}
	if status.EndsAnyway && !status.SignInEnds.IsZero() {
		page.least("venuekey_first_end_seconds", "gauge", "Seconds until the first sign-in ends that no renewal saves.", at, status.SignInEnds.Sub(now).Seconds())
	}
}

// one adds what one sign-in's status says, under its ID.
func (page *exposition) one(status venuekey.Status, now time.Time) {
	id := status.ID.String()
	page.add("venuekey_signin_state", "gauge", "The state of a sign-in, as 1.", labels("id", id, "state", string(status.State)), 1)
	if !status.Expires.IsZero() {
		page.add("venuekey_signin_token_seconds", "gauge", "Seconds until a sign-in's access token expires.", labels("id", id), status.Expires.Sub(now).Seconds())
	}
	if !status.SignInEnds.IsZero() {
		page.add("venuekey_signin_end_seconds", "gauge", "Seconds until a sign-in ends.", labels("id", id), status.SignInEnds.Sub(now).Seconds())
	}
}

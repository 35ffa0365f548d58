package tests

import "github.com/honeydue/backend/tests/story"

func taskBody(f *fixture) map[string]any {
	return map[string]any{
		"residence_id": f.home, "title": "Sweep", "description": "All of it", "category_id": 1, "priority_id": 2, "frequency_id": 3,
		"due_date": story.Day(9), "assigned_to_id": f.member.ID, "contractor_id": f.contractor, "template_id": f.template, "estimated_cost": "10.00",
	}
}

func bulkBody(f *fixture) map[string]any {
	inSeason := map[string]any{
		"title": "Mow", "due_date": story.Day(9),
		"recurrence": map[string]any{"every": 2, "unit": "week", "season": map[string]any{"from": "04-01", "to": "10-31"}, "missed": "roll"},
	}
	return map[string]any{"residence_id": f.home, "tasks": []any{without("residence_id", taskBody)(f), inSeason}}
}

func contractorBody(f *fixture) map[string]any {
	return map[string]any{
		"residence_id": f.home, "name": "Joan", "company": "Marsh", "phone": "1", "email": "joan@example.com", "website": "https://example.com",
		"specialty_ids": []any{9, 14}, "notes": "n", "rating": 5, "is_favorite": true,
	}
}

func documentBody(f *fixture) map[string]any {
	return map[string]any{
		"residence_id": f.home, "title": "Heater", "document_type": "manual", "description": "Thick", "task_id": f.task, "contractor_id": f.contractor,
		"vendor": "Marsh", "serial_number": "7", "model_number": "X", "purchase_date": "2020-01-01", "purchase_price": "1.00",
		"warranty_expires_on": story.Day(99), "upload_ids": []any{},
	}
}

func preferencesBody(*fixture) map[string]any {
	return map[string]any{
		"types":              map[string]any{"task_overdue": map[string]any{"email": false, "push": true}},
		"task_due_soon_hour": 7, "task_overdue_hour": 7, "warranty_expiring_hour": 7, "daily_digest_hour": 7,
		"quiet_from": "22:00", "quiet_to": "07:00", "time_zone": "UTC",
	}
}

func residenceBody(*fixture) map[string]any {
	return map[string]any{
		"name": "Hut", "residence_type": "cabin", "street_address": "1 Way", "apartment_unit": "2", "city": "Town",
		"state_province": "TX", "postal_code": "7", "country": "US", "bedrooms": 1, "bathrooms": 1.5, "square_footage": 900,
		"lot_size": 10.5, "year_built": 1990, "description": "Small", "purchase_date": "2020-01-01", "purchase_price": "1.00",
		"is_primary": false, "heating": "gas", "cooling": "none", "water_heater": "tank", "roof": "slate", "pool": false,
		"sprinkler": false, "septic": false, "fireplace": true, "garage": false, "basement": false, "attic": true,
		"exterior": "wood", "flooring": "oak", "landscaping": "none", "upload_ids": []any{},
	}
}

func without(field string, body func(*fixture) map[string]any) func(*fixture) map[string]any {
	return func(f *fixture) map[string]any {
		rest := body(f)
		delete(rest, field)
		return rest
	}
}

package main

import "github.com/danielgtaylor/huma/v2"

// An exportPart is one member of the exported document. Its rows have the names that the API gives things, where it names them.
type exportPart struct {
	name   string
	single bool // an object and not a list
	about  string
	sql    string // $1 is the person
}

// What people keep in a home is theirs who entered it, and the owner's; what others say of themselves is not exported, only their ids.
const (
	inHomesOf = ` JOIN residence_member m ON m.residence_id = h.residence_id AND m.user_id = $1 WHERE (m.role = 'owner' OR `
	leftOf    = ` AND NOT EXISTS (SELECT FROM residence_member m WHERE m.residence_id = h.residence_id AND m.user_id = $1)`
)

// exportParts is everything that is held of a person. Not in it: what proves who they are, of which only hashes are held; tokens of
// devices, which mean nothing to a person, while whoever finds an export could pass for the device at its provider; and counts of
// tries, which know nobody by name and end within an hour.
func exportParts() []exportPart {
	return []exportPart{
		{"account", true, "The account, with what the person wants to hear of and when; muted is what they switched off", `
SELECT id, email, first_name, last_name, email_verified_at, password_hash IS NOT NULL AS has_password, time_zone, locale, currency,
    muted, task_due_soon_hour, task_overdue_hour, warranty_expiring_hour, daily_digest_hour, quiet_from, quiet_to, created_at, updated_at, disabled_at
FROM auth_user WHERE id = $1`},
		{"sessions", false, "Devices that were signed in", `
SELECT id, device_name, created_at, last_used_at, expires_at FROM auth_session WHERE user_id = $1 ORDER BY id`},
		{"devices", false, "Devices that get pushes, less the tokens with which they can be sent any", `
SELECT id, session_id, platform, name, app_version, created_at, registered_at FROM auth_device WHERE user_id = $1 ORDER BY id`},
		{"codes", false, "Codes that were sent, less their digits", `
SELECT id, purpose, new_email, tries, created_at, expires_at, used_at FROM auth_code WHERE user_id = $1 ORDER BY id`},
		{"email_changes", false, "Addresses that were the account's", `
SELECT id, old_email, changed_at FROM auth_email_change WHERE user_id = $1 ORDER BY id`},
		{"memberships", false, "Homes that the person belongs to", `
SELECT residence_id, role, joined_at FROM residence_member WHERE user_id = $1 ORDER BY residence_id`},
		{"residences", false, "Those homes", `
SELECT h.id, h.name, h.is_primary, h.residence_type, h.street_address, h.apartment_unit, h.city, h.state_province, h.postal_code, h.country,
    h.bedrooms, h.bathrooms, h.square_footage, h.lot_size, h.year_built, h.description, h.purchase_date, h.purchase_price::text,
    h.heating, h.cooling, h.water_heater, h.roof, h.pool, h.sprinkler, h.septic, h.fireplace, h.garage, h.basement, h.attic,
    h.exterior, h.flooring, h.landscaping, h.created_by_id, h.created_at, h.updated_at
FROM residence_member m JOIN residence_residence h ON h.id = m.residence_id WHERE m.user_id = $1 ORDER BY h.id`},
		{"share_codes", false, "Codes that the person made for others to join, of which only hashes are kept", `
SELECT residence_id, created_at, expires_at FROM residence_share_code WHERE created_by_id = $1 ORDER BY residence_id`},
		{"contractors", false, "Contractors that the person entered, and those of homes that they own", `
SELECT h.id, h.residence_id, h.name, h.company, h.phone, h.email, h.website, h.notes, h.rating, h.is_favorite,
    ARRAY(SELECT s.specialty_id FROM residence_contractor_specialty s WHERE s.contractor_id = h.id ORDER BY 1) AS specialty_ids,
    h.created_by_id, h.created_at, h.updated_at
FROM residence_contractor h` + inHomesOf + `h.created_by_id = $1) ORDER BY h.id`},
		{"tasks", false, "Tasks that the person created or has, and those of homes that they own", `
SELECT h.id, h.residence_id, h.title, h.description, h.category_id, h.priority_id, h.frequency_id, h.recurrence, h.due_on AS due_date,
    h.next_due_on AS next_due_date, h.assigned_to_id, h.contractor_id, h.template_id, h.estimated_cost::text, h.in_progress,
    h.is_cancelled, h.is_archived, h.last_completed_on, h.completion_count, h.created_by_id, h.created_at, h.updated_at
FROM task_task h` + inHomesOf + `h.created_by_id = $1 OR h.assigned_to_id = $1) ORDER BY h.id`},
		{"completions", false, "Entries of tasks' histories by the person or about them, and those of homes that they own", `
SELECT c.id, c.task_id, c.kind, c.completed_by_id, c.unassigned_id, c.completed_on, c.occurrence_on AS occurrence, c.notes,
    c.actual_cost::text, c.rating, c.before_in_progress, c.before, c.created_at
FROM task_taskcompletion c JOIN task_task h ON h.id = c.task_id` + inHomesOf + `c.completed_by_id = $1 OR c.unassigned_id = $1) ORDER BY c.id`},
		{"documents", false, "Papers that the person entered, and those of homes that they own", `
SELECT h.id, h.residence_id, h.title, h.document_type, h.description, h.task_id, h.contractor_id, h.vendor, h.serial_number, h.model_number,
    h.purchase_date, h.purchase_price::text, h.warranty_expires_on, h.created_by_id, h.created_at, h.updated_at
FROM upload_document h` + inHomesOf + `h.created_by_id = $1) ORDER BY h.id`},
		{"media", false, "Photos and papers that the person attached, and those of homes that they own; /api/media/ has what is in them", `
SELECT h.id, h.residence_id, h.completion_id, h.document_id, h.content_type, h.filename, h.state, h.created_by_id, h.created_at
FROM upload_media h` + inHomesOf + `h.created_by_id = $1) ORDER BY h.id`},
		{"uploads", false, "What the person sent, or was about to", `
SELECT id, category, content_type, content_length, filename, state, created_at, expires_at FROM pending_uploads WHERE user_id = $1 ORDER BY id`},
		{"left_behind", false, "What names the person in homes that they left; what it says is those homes' by now", `
SELECT 'residence' AS kind, h.id, h.residence_id, h.created_at
FROM (SELECT id, id AS residence_id, created_by_id, created_at FROM residence_residence) h WHERE h.created_by_id = $1` + leftOf + `
UNION ALL
SELECT 'contractor', h.id, h.residence_id, h.created_at FROM residence_contractor h WHERE h.created_by_id = $1` + leftOf + `
UNION ALL
SELECT 'task', h.id, h.residence_id, h.created_at FROM task_task h WHERE (h.created_by_id = $1 OR h.assigned_to_id = $1)` + leftOf + `
UNION ALL
SELECT 'completion', c.id, h.residence_id, c.created_at FROM task_taskcompletion c JOIN task_task h ON h.id = c.task_id
WHERE (c.completed_by_id = $1 OR c.unassigned_id = $1)` + leftOf + `
UNION ALL
SELECT 'document', h.id, h.residence_id, h.created_at FROM upload_document h WHERE h.created_by_id = $1` + leftOf + `
UNION ALL
SELECT 'media', h.id, h.residence_id, h.created_at FROM upload_media h WHERE h.created_by_id = $1` + leftOf + `
ORDER BY 1, 2`},
		{"messages", false, "Messages to the person", `
SELECT id, channel, type, subject_id, occurrence_on, stage, state, attempts, created_at, expires_at, sent_at, read_at FROM notification_message WHERE user_id = $1 ORDER BY id`},
		{"stored_answers", false, "Answers that are kept for a day, in case a request is sent again", `
SELECT status, created_at FROM shared_idempotency WHERE user_id = $1 ORDER BY created_at`},
	}
}

// exportSchema is the schema of the exported document.
func exportSchema() *huma.Schema {
	rows := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	schema := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"exported_at"},
		Properties: map[string]*huma.Schema{"exported_at": {Type: huma.TypeString, Format: "date-time"}},
	}
	for _, part := range exportParts() {
		property := &huma.Schema{Type: huma.TypeArray, Items: rows, Description: part.about}
		if part.single {
			property = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: part.about}
		}
		schema.Properties[part.name] = property
		schema.Required = append(schema.Required, part.name)
	}
	return schema
}

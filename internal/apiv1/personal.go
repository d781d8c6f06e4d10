package apiv1

import (
	"context"
	"net/http"
	"slices"

	"audiomicro/internal/access"
)

// PersonalFields are what a file says about persons.
type PersonalFields struct {
	Fields []PersonalField `json:"fields"`
	Strips bool            `json:"removable" doc:"Whether fields can be taken out of a file of this kind here. Before the recording is submitted they can."`
}

// PersonalField is a statement of a file about a person.
type PersonalField struct {
	Key    string `json:"key"`
	Source string `json:"source" doc:"The part of the file that says it."`
	Name   string `json:"name"`
	Value  string `json:"value"`
	Why    string `json:"why" doc:"What it tells about whom."`
}

// FieldsToRemove names fields of a file.
type FieldsToRemove struct {
	Keys []string `json:"keys" minItems:"1" maxItems:"1000"`
}

func (f *Face) personalOperations() {
	add(f, operation{route: "GET /recordings/{id}/personal-fields", id: "list-personal-fields", tag: tagRecordings, summary: "List what the original file says about persons", action: access.EditRecording, private: true}, f.personalFields)
	add(f, operation{route: "POST /recordings/{id}/personal-fields/remove", id: "remove-personal-fields", tag: tagRecordings, summary: "Take such fields out of the original file", action: access.EditRecording, private: true,
		errors: []int{http.StatusConflict}, text: "The sound stays the same to the bit. Before the recording is submitted; what is left is answered."},
		func(ctx context.Context, in *struct {
			ByID
			Body FieldsToRemove
		}) (*body[PersonalFields], error) {
			there, err := f.personalFields(ctx, &in.ByID)
			if err != nil {
				return nil, err
			}
			for _, key := range in.Body.Keys {
				if !slices.ContainsFunc(there.Body.Fields, func(p PersonalField) bool { return p.Key == key }) {
					return nil, wrong("body.keys", "The file has no such field. Read the list again.")
				}
			}
			if err := f.Uploads.Strip(ctx, in.ID, in.Body.Keys); err != nil {
				return nil, err
			}
			return f.personalFields(ctx, &in.ByID)
		})
}

func (f *Face) personalFields(ctx context.Context, in *ByID) (*body[PersonalFields], error) {
	rec, err := f.editable(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, strips, err := f.Uploads.PersonalFields(ctx, rec)
	out := PersonalFields{Fields: []PersonalField{}, Strips: strips}
	for _, p := range list {
		out.Fields = append(out.Fields, PersonalField{p.Key, p.Source, p.Name, p.Value, p.Why})
	}
	return answer(out), err
}

package main

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/mapping"
	blevequery "github.com/blevesearch/bleve/v2/search/query"
)

type bleveEngine struct{ ix bleve.Index }

func openBleve(dir string) (engine, error) {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = en.AnalyzerName
	doc := bleve.NewDocumentMapping()
	for _, name := range []string{"title", "description", "tags", "contributor", "pack"} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store = en.AnalyzerName, false
		doc.AddFieldMappingsAt(name, f)
	}
	for _, name := range []string{"category", "license", "price", "type", "channels", "tag"} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store, f.IncludeInAll = keyword.Name, false, false
		doc.AddFieldMappingsAt(name, f)
	}
	for _, name := range []string{"seconds", "downloads"} {
		f := mapping.NewNumericFieldMapping()
		f.Store, f.IncludeInAll = false, false
		doc.AddFieldMappingsAt(name, f)
	}
	m.DefaultMapping = doc
	ix, err := bleve.New(filepath.Join(dir, "bleve"), m)
	return &bleveEngine{ix}, err
}

func (e *bleveEngine) add(_ context.Context, docs []index.Document) error {
	b := e.ix.NewBatch()
	for _, d := range docs {
		err := b.Index(strconv.FormatInt(d.ID, 10), map[string]any{
			"title": d.Title, "description": d.Description, "tags": strings.Join(d.Tags, " "), "contributor": d.Contributor, "pack": d.Pack, "category": d.Category,
			"license": d.Licenses, "price": query.PriceBand(d.Free, d.PriceMinor, 100), "type": d.Type, "channels": strconv.Itoa(d.Channels), "tag": d.Tags,
			"seconds": d.Seconds, "downloads": float64(d.Downloads),
		})
		if err != nil {
			return err
		}
	}
	return e.ix.Batch(b)
}

func (e *bleveEngine) finish(context.Context) error { return nil }
func (e *bleveEngine) close() error                 { return e.ix.Close() }

func (e *bleveEngine) search(ctx context.Context, a ask) (int, error) {
	var all []blevequery.Query
	switch {
	case a.phrase: // a composite field has no positions across fields
		all = append(all, bleve.NewMatchPhraseQuery(strings.Join(a.words, " ")))
	case a.prefix:
		all = append(all, bleve.NewPrefixQuery(a.words[0]))
	default:
		for _, w := range a.words {
			all = append(all, bleve.NewMatchQuery(w))
		}
	}
	if a.filtered {
		low, high := 1.0, 20.0
		length := bleve.NewNumericRangeQuery(&low, &high)
		length.SetField("seconds")
		license, channels := bleve.NewTermQuery("standard"), bleve.NewTermQuery("2")
		license.SetField("license")
		channels.SetField("channels")
		all = append(all, length, license, channels)
	}
	var q blevequery.Query = bleve.NewMatchAllQuery()
	if len(all) > 0 {
		q = bleve.NewConjunctionQuery(all...)
	}
	r := bleve.NewSearchRequestOptions(q, 24, 0, false)
	if a.downloads {
		r.SortBy([]string{"-downloads"})
	}
	if a.facets {
		for _, name := range []string{"category", "license", "price", "type", "channels", "tag"} {
			r.AddFacet(name, bleve.NewFacetRequest(name, 30))
		}
		length := bleve.NewFacetRequest("seconds", 20)
		for i := range 17 {
			low, high := float64(i*10), float64(i*10+10)
			length.AddNumericRange(strconv.Itoa(i), &low, &high)
		}
		r.AddFacet("length", length)
	}
	res, err := e.ix.SearchInContext(ctx, r)
	if err != nil {
		return 0, err
	}
	return int(res.Total), nil
}

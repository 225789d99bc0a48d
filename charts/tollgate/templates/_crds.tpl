{{- /* Non-empty where the cluster has this definition and it is not this release's. Without a cluster (`helm template`) nothing is. */ -}}
{{- define "tollgate.isForeign" -}}
{{- $live := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .name }}
{{- if $live }}
{{- $annotations := $live.metadata.annotations | default dict }}
{{- $labels := $live.metadata.labels | default dict }}
{{- if not (and (eq (get $labels "app.kubernetes.io/managed-by") "Helm")
    (eq (get $annotations "meta.helm.sh/release-name") .root.Release.Name)
    (eq (get $annotations "meta.helm.sh/release-namespace") .root.Release.Namespace)) }}yes{{ end }}
{{- end }}
{{- end -}}

{{- /* A definition with the labels and annotations of this release. */ -}}
{{- define "tollgate.ownedCrd" -}}
{{- $labels := include "tollgate.labels" (dict "root" .root "component" "crds") | fromYaml }}
{{- $metadata := dict "name" .crd.metadata.name "labels" (merge (deepCopy (.crd.metadata.labels | default dict)) $labels) }}
{{- $annotations := deepCopy (.crd.metadata.annotations | default dict) }}
{{- if .root.Values.crds.keep }}
{{- $annotations = set $annotations "helm.sh/resource-policy" "keep" }}
{{- end }}
{{- if .adopt }}
{{- $annotations = merge $annotations (dict "meta.helm.sh/release-name" .root.Release.Name "meta.helm.sh/release-namespace" .root.Release.Namespace) }}
{{- end }}
{{- if $annotations }}{{ $metadata = set $metadata "annotations" $annotations }}{{ end }}
{{- toYaml (set (deepCopy .crd) "metadata" $metadata) }}
{{- end -}}

"""The API types of Kubernetes' other groups, as `shapes` reads them.

Source: the fields' types and JSON tags in the groups' types.go of k8s.io/api, apiextensions-apiserver and
kube-aggregator, v0.36.
"""

APPS = """
ControllerRevision: metadata!=meta.ObjectMeta
DaemonSet: metadata!=meta.ObjectMeta spec!=DaemonSetSpec
DaemonSetSpec: selector=meta.LabelSelector template!=core.PodTemplateSpec updateStrategy!=DaemonSetUpdateStrategy
  minReadySeconds?
DaemonSetUpdateStrategy: type? rollingUpdate=RollingUpdateDaemonSet
Deployment: metadata!=meta.ObjectMeta spec!=DeploymentSpec
DeploymentSpec: selector=meta.LabelSelector template!=core.PodTemplateSpec strategy!=DeploymentStrategy
  minReadySeconds? paused?
DeploymentStrategy: type? rollingUpdate=RollingUpdateDeployment
ReplicaSet: metadata!=meta.ObjectMeta spec!=ReplicaSetSpec
ReplicaSetSpec: minReadySeconds? selector=meta.LabelSelector template!=core.PodTemplateSpec
RollingUpdateDaemonSet:
RollingUpdateDeployment:
RollingUpdateStatefulSetStrategy:
StatefulSet: metadata!=meta.ObjectMeta spec!=StatefulSetSpec
StatefulSetOrdinals:
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted? whenScaled?
StatefulSetSpec: selector=meta.LabelSelector template!=core.PodTemplateSpec
  volumeClaimTemplates?[]core.PersistentVolumeClaimTemplate podManagementPolicy?
  updateStrategy!=StatefulSetUpdateStrategy minReadySeconds?
  persistentVolumeClaimRetentionPolicy=StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals=StatefulSetOrdinals
StatefulSetUpdateStrategy: type? rollingUpdate=RollingUpdateStatefulSetStrategy
"""

BATCH = """
CronJob: metadata!=meta.ObjectMeta spec!=CronJobSpec
CronJobSpec: concurrencyPolicy? jobTemplate!=JobTemplateSpec
Job: metadata!=meta.ObjectMeta spec!=JobSpec
JobSpec: podFailurePolicy=PodFailurePolicy successPolicy=SuccessPolicy selector=meta.LabelSelector
  template!=core.PodTemplateSpec
JobTemplateSpec: metadata!=meta.ObjectMeta spec!=JobSpec
PodFailurePolicy: rules![]PodFailurePolicyRule
PodFailurePolicyOnExitCodesRequirement: values!
PodFailurePolicyOnPodConditionsPattern: status?
PodFailurePolicyRule: onExitCodes=PodFailurePolicyOnExitCodesRequirement
  onPodConditions?[]PodFailurePolicyOnPodConditionsPattern
SuccessPolicy: rules![]SuccessPolicyRule
SuccessPolicyRule:
"""

AUTOSCALING1 = """
CrossVersionObjectReference: apiVersion?
HorizontalPodAutoscaler: metadata!=meta.ObjectMeta spec!=HorizontalPodAutoscalerSpec
HorizontalPodAutoscalerSpec: scaleTargetRef!=CrossVersionObjectReference
"""

AUTOSCALING = """
ContainerResourceMetricSource: target!=MetricTarget
CrossVersionObjectReference: apiVersion?
ExternalMetricSource: metric!=MetricIdentifier target!=MetricTarget
HPAScalingRules: policies? tolerance#
HorizontalPodAutoscaler: metadata!=meta.ObjectMeta spec!=HorizontalPodAutoscalerSpec
HorizontalPodAutoscalerBehavior: scaleUp=HPAScalingRules scaleDown=HPAScalingRules
HorizontalPodAutoscalerSpec: scaleTargetRef!=CrossVersionObjectReference metrics?[]MetricSpec
  behavior=HorizontalPodAutoscalerBehavior
MetricIdentifier: selector=meta.LabelSelector
MetricSpec: object=ObjectMetricSource pods=PodsMetricSource resource=ResourceMetricSource
  containerResource=ContainerResourceMetricSource external=ExternalMetricSource
MetricTarget: value# averageValue#
ObjectMetricSource: describedObject!=CrossVersionObjectReference target!=MetricTarget metric!=MetricIdentifier
PodsMetricSource: metric!=MetricIdentifier target!=MetricTarget
ResourceMetricSource: target!=MetricTarget
"""

NETWORKING = """
HTTPIngressPath: path? backend!=IngressBackend
HTTPIngressRuleValue: paths![]HTTPIngressPath
IPAddress: metadata!=meta.ObjectMeta spec!=IPAddressSpec
IPAddressSpec: parentRef=ParentReference
IPBlock: except?
Ingress: metadata!=meta.ObjectMeta spec!=IngressSpec
IngressBackend: service=IngressServiceBackend resource=core.TypedLocalObjectReference
IngressClass: metadata!=meta.ObjectMeta spec!=IngressClassSpec
IngressClassParametersReference:
IngressClassSpec: controller? parameters=IngressClassParametersReference
IngressRule: host? http=HTTPIngressRuleValue
IngressServiceBackend: port!=ServiceBackendPort
IngressSpec: defaultBackend=IngressBackend tls?[]IngressTLS rules?[]IngressRule
IngressTLS: hosts? secretName?
NetworkPolicy: metadata!=meta.ObjectMeta spec!=NetworkPolicySpec
NetworkPolicyEgressRule: ports?[]NetworkPolicyPort to?[]NetworkPolicyPeer
NetworkPolicyIngressRule: ports?[]NetworkPolicyPort from?[]NetworkPolicyPeer
NetworkPolicyPeer: podSelector=meta.LabelSelector namespaceSelector=meta.LabelSelector ipBlock=IPBlock
NetworkPolicyPort:
NetworkPolicySpec: podSelector!=meta.LabelSelector ingress?[]NetworkPolicyIngressRule
  egress?[]NetworkPolicyEgressRule policyTypes?
ParentReference: group? resource? namespace? name?
ServiceBackendPort: name? number?
ServiceCIDR: metadata!=meta.ObjectMeta spec!=ServiceCIDRSpec
ServiceCIDRSpec: cidrs?
"""

POLICY = """
PodDisruptionBudget: metadata!=meta.ObjectMeta spec!=PodDisruptionBudgetSpec
PodDisruptionBudgetSpec: selector=meta.LabelSelector
"""

RBAC = """
AggregationRule: clusterRoleSelectors?[]meta.LabelSelector
ClusterRole: metadata!=meta.ObjectMeta rules![]PolicyRule aggregationRule=AggregationRule
ClusterRoleBinding: metadata!=meta.ObjectMeta subjects?[]Subject roleRef!=RoleRef
PolicyRule: verbs! apiGroups? resources? resourceNames? nonResourceURLs?
Role: metadata!=meta.ObjectMeta rules![]PolicyRule
RoleBinding: metadata!=meta.ObjectMeta subjects?[]Subject roleRef!=RoleRef
RoleRef: apiGroup?
Subject: apiGroup? namespace?
"""

STORAGE = """
CSIDriver: metadata!=meta.ObjectMeta spec!=CSIDriverSpec
CSIDriverSpec: volumeLifecycleModes? tokenRequests?[]TokenRequest
CSINode: metadata!=meta.ObjectMeta spec!=CSINodeSpec
CSINodeDriver: topologyKeys!
CSINodeSpec: drivers![]CSINodeDriver
CSIStorageCapacity: metadata!=meta.ObjectMeta nodeTopology=meta.LabelSelector capacity# maximumVolumeSize#
StorageClass: metadata!=meta.ObjectMeta parameters? mountOptions? allowedTopologies?[]core.TopologySelectorTerm
TokenRequest:
VolumeAttachment: metadata!=meta.ObjectMeta spec!=VolumeAttachmentSpec
VolumeAttachmentSource: inlineVolumeSpec=core.PersistentVolumeSpec
VolumeAttachmentSpec: source!=VolumeAttachmentSource
VolumeAttributesClass: metadata!=meta.ObjectMeta parameters?
"""

SCHEDULING = """
PriorityClass: metadata!=meta.ObjectMeta globalDefault? description?
"""

NODE = """
Overhead: podFixed?{}#
RuntimeClass: metadata!=meta.ObjectMeta overhead=Overhead scheduling=Scheduling
Scheduling: nodeSelector? tolerations?[]core.Toleration
"""

FLOWCONTROL = """
ExemptPriorityLevelConfiguration:
FlowSchema: metadata!=meta.ObjectMeta spec!=FlowSchemaSpec
FlowSchemaSpec: priorityLevelConfiguration!= matchingPrecedence? rules?[]PolicyRulesWithSubjects
LimitResponse: queuing=QueuingConfiguration
LimitedPriorityLevelConfiguration: limitResponse!=LimitResponse
NonResourcePolicyRule: verbs! nonResourceURLs!
PolicyRulesWithSubjects: subjects![]Subject resourceRules?[]ResourcePolicyRule
  nonResourceRules?[]NonResourcePolicyRule
PriorityLevelConfiguration: metadata!=meta.ObjectMeta spec!=PriorityLevelConfigurationSpec
PriorityLevelConfigurationSpec: limited=LimitedPriorityLevelConfiguration exempt=ExemptPriorityLevelConfiguration
QueuingConfiguration: queues? handSize? queueLengthLimit?
ResourcePolicyRule: verbs! apiGroups! resources! clusterScope? namespaces!
Subject:
"""

ADMISSIONREGISTRATION = """
ApplyConfiguration: expression?
JSONPatch: expression?
MatchResources: namespaceSelector=meta.LabelSelector objectSelector=meta.LabelSelector
  resourceRules?[]NamedRuleWithOperations excludeResourceRules?[]NamedRuleWithOperations
MutatingAdmissionPolicy: metadata!=meta.ObjectMeta spec!=MutatingAdmissionPolicySpec
MutatingAdmissionPolicyBinding: metadata!=meta.ObjectMeta spec!=MutatingAdmissionPolicyBindingSpec
MutatingAdmissionPolicyBindingSpec: policyName? paramRef=ParamRef matchResources=MatchResources
MutatingAdmissionPolicySpec: paramKind=ParamKind matchConstraints=MatchResources variables? mutations?[]Mutation
  matchConditions? reinvocationPolicy?
MutatingWebhook: clientConfig!=WebhookClientConfig rules?[]RuleWithOperations namespaceSelector=meta.LabelSelector
  objectSelector=meta.LabelSelector admissionReviewVersions! matchConditions?
MutatingWebhookConfiguration: metadata!=meta.ObjectMeta webhooks?[]MutatingWebhook
Mutation: applyConfiguration=ApplyConfiguration jsonPatch=JSONPatch
NamedRuleWithOperations: resourceNames? operations? apiGroups? apiVersions? resources?
ParamKind: apiVersion? kind?
ParamRef: name? namespace? selector=meta.LabelSelector
RuleWithOperations: operations? apiGroups? apiVersions? resources?
ServiceReference:
ValidatingAdmissionPolicy: metadata!=meta.ObjectMeta spec!=ValidatingAdmissionPolicySpec
ValidatingAdmissionPolicyBinding: metadata!=meta.ObjectMeta spec!=ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec: policyName? paramRef=ParamRef matchResources=MatchResources
  validationActions?
ValidatingAdmissionPolicySpec: paramKind=ParamKind matchConstraints=MatchResources validations?[]Validation
  auditAnnotations? matchConditions? variables?
ValidatingWebhook: clientConfig!=WebhookClientConfig rules?[]RuleWithOperations
  namespaceSelector=meta.LabelSelector objectSelector=meta.LabelSelector admissionReviewVersions! matchConditions?
ValidatingWebhookConfiguration: metadata!=meta.ObjectMeta webhooks?[]ValidatingWebhook
Validation: message? messageExpression?
WebhookClientConfig: service=ServiceReference caBundle?
"""

COORDINATION = """
Lease: metadata!=meta.ObjectMeta spec!=LeaseSpec
LeaseSpec:
"""

DISCOVERY = """
Endpoint: addresses! conditions!=EndpointConditions targetRef=core.ObjectReference deprecatedTopology?
  hints=EndpointHints
EndpointConditions:
EndpointHints: forZones? forNodes?
EndpointPort:
EndpointSlice: metadata!=meta.ObjectMeta endpoints![]Endpoint ports![]EndpointPort
"""

CERTIFICATES = """
CertificateSigningRequest: metadata!=meta.ObjectMeta spec!=CertificateSigningRequestSpec
CertificateSigningRequestSpec: usages? username? uid? groups? extra?
"""

RESOURCE = """
CapacityRequestPolicy: default# validValues?[]# validRange=CapacityRequestPolicyRange
CapacityRequestPolicyRange: min# max# step#
CapacityRequirements: requests?{}#
Counter: value#
CounterSet: counters?{}Counter
Device: attributes?{}DeviceAttribute capacity?{}DeviceCapacity consumesCounters?[]DeviceCounterConsumption
  nodeSelector=core.NodeSelector taints?[]DeviceTaint bindingConditions? bindingFailureConditions?
  nodeAllocatableResourceMappings?{}NodeAllocatableResourceMapping
DeviceAttribute: ints? bools? strings? versions?
DeviceCapacity: value# requestPolicy=CapacityRequestPolicy
DeviceClaim: requests![]DeviceRequest constraints?[]DeviceConstraint config?[]DeviceClaimConfiguration
DeviceClaimConfiguration: requests?
DeviceClass: metadata!=meta.ObjectMeta spec!=DeviceClassSpec
DeviceClassSpec: selectors? config?
DeviceConstraint: requests?
DeviceCounterConsumption: counters?{}Counter
DeviceRequest: exactly=ExactDeviceRequest firstAvailable?[]DeviceSubRequest
DeviceSubRequest: selectors? allocationMode? count? tolerations?[]DeviceToleration capacity=CapacityRequirements
DeviceTaint: value?
DeviceToleration: key? operator? value? effect?
ExactDeviceRequest: selectors? allocationMode? count? tolerations?[]DeviceToleration capacity=CapacityRequirements
NodeAllocatableResourceMapping: allocationMultiplier#
ResourceClaim: metadata!=meta.ObjectMeta spec!=ResourceClaimSpec
ResourceClaimSpec: devices!=DeviceClaim
ResourceClaimTemplate: metadata!=meta.ObjectMeta spec!=ResourceClaimTemplateSpec
ResourceClaimTemplateSpec: metadata!=meta.ObjectMeta spec!=ResourceClaimSpec
ResourceSlice: metadata!=meta.ObjectMeta spec!=ResourceSliceSpec
ResourceSliceSpec: pool!= nodeSelector=core.NodeSelector devices?[]Device sharedCounters?[]CounterSet
"""

APIEXTENSIONS = """
CustomResourceColumnDefinition: format? description? priority?
CustomResourceConversion: webhook=WebhookConversion
CustomResourceDefinition: metadata!=meta.ObjectMeta spec!=CustomResourceDefinitionSpec
CustomResourceDefinitionNames: singular? shortNames? listKind? categories?
CustomResourceDefinitionSpec: names!=CustomResourceDefinitionNames versions![]CustomResourceDefinitionVersion
  conversion=CustomResourceConversion preserveUnknownFields?
CustomResourceDefinitionVersion: deprecated? additionalPrinterColumns?[]CustomResourceColumnDefinition
  selectableFields? subresources=CustomResourceSubresources
CustomResourceSubresourceScale:
CustomResourceSubresources: scale=CustomResourceSubresourceScale
ServiceReference:
WebhookClientConfig: service=ServiceReference caBundle?
WebhookConversion: clientConfig=WebhookClientConfig conversionReviewVersions!
"""

APIREGISTRATION = """
APIService: metadata!=meta.ObjectMeta spec!=APIServiceSpec
APIServiceSpec: service=ServiceReference group? version? insecureSkipTLSVerify? caBundle?
ServiceReference: namespace? name?
"""
